"""boto3's InvokeEndpoint against a stand-in of SageMaker's runtime: what came back, or what boto3 makes of a failure."""

import base64
import json
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

asked = json.load(sys.stdin)
client = boto3.client(
    "sagemaker-runtime",
    region_name="us-east-1",
    endpoint_url=asked["url"],
    verify=asked["authority"],
    aws_access_key_id=asked["access_key_id"],
    aws_secret_access_key=asked["secret_access_key"],
    config=Config(retries={"total_max_attempts": 1}),
)


def invoke(request: dict) -> dict:
    request = {**request, "Body": base64.b64decode(request["Body"])}
    is_streamed = request.pop("streamed", False)
    try:
        if is_streamed:
            answer = client.invoke_endpoint_with_response_stream(**request)
            parts = [event["PayloadPart"]["Bytes"].decode() for event in answer["Body"]]
            return {"parts": parts, "type": answer["ContentType"]}
        answer = client.invoke_endpoint(**request)
        return {
            "body": answer["Body"].read().decode(),
            "type": answer["ContentType"],
            "variant": answer["InvokedProductionVariant"],
        }
    except ClientError as error:
        said = error.response
        return {
            "code": said["Error"]["Code"],
            "message": said["Error"]["Message"],
            "status": said["ResponseMetadata"]["HTTPStatusCode"],
            "original_status": said.get("OriginalStatusCode"),
            "original_message": said.get("OriginalMessage"),
        }


print(json.dumps([invoke(request) for request in asked["requests"]]))
