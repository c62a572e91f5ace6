#!/usr/bin/env bash
# Speaks the sample texts again. Needs flite, espeak-ng and sox (Debian: apt-get install flite espeak-ng sox).
# usage: samples/make.sh [FOLDER]      (default: this folder)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
mkdir -p "$out"
parts=$(mktemp -d)
trap 'rm -rf "$parts"' EXIT

# One sentence by a flite voice: NAME VOICE STRETCH TEXT
say() {
  flite -voice "$2" --setf duration_stretch="$3" -t "$4" -o "$parts/$1.raw.wav"
  sox -R -G "$parts/$1.raw.wav" -r 16000 -c 1 -b 16 "$parts/$1.wav" norm -3
}
# One sentence by espeak-ng: NAME VOICE WORDS_PER_MINUTE TEXT
speak() {
  espeak-ng -v "$2" -s "$3" -w "$parts/$1.raw.wav" "$4"
  sox -R -G "$parts/$1.raw.wav" -r 16000 -c 1 -b 16 "$parts/$1.wav" norm -3
}
# Silence: NAME SECONDS
pause() { sox -R -n -r 16000 -c 1 -b 16 "$parts/$1.wav" trim 0.0 "$2"; }
# All parts in the order of their names, as 16 kHz mono FLAC: CLIP
join() {
  sox -R "$parts"/[0-9]*-[a-z].wav -C 8 "$out/$1.flac"
  rm -f "$parts"/*
}

pause 0-p 0.3
say 1-s slt 1.05 'Good morning. The ferry to the island leaves at nine fifteen from pier four.'
pause 2-p 1.2
say 3-s slt 1.05 'Please have your tickets ready. The crossing takes forty minutes.'
pause 4-p 0.5
join ferry

pause 0-p 0.5
say 1-s rms 0.95 'Heat two cups of milk in a small pan, but do not let it boil.'
pause 2-p 0.9
say 3-s rms 0.95 'Add three spoons of sugar and wait until it is warm.'
pause 4-p 0.5
join kitchen

pause 0-p 0.3
speak 1-s en-us 150 'The next meeting starts on Monday at half past eleven.'
pause 2-p 0.8
speak 3-s en-us 150 'Room twenty seven is on the second floor.'
pause 4-p 0.5
join meeting
