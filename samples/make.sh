#!/usr/bin/env bash
# Makes the bundled media anew: speech.opus, music.opus, chime.wav and clip.h264, beside this script.
set -euo pipefail
cd "$(dirname "$0")"

for tool in espeak-ng sox opusenc python3 ffmpeg; do
  if ! command -v "$tool" >/dev/null; then
    echo "samples/make.sh needs $tool: apt-get install espeak-ng sox opus-tools python3 ffmpeg" >&2
    exit 1
  fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A fixed serial number and no tags beyond the encoder's own: the files differ only where the tools do.
encode() { opusenc --quiet --discard-comments --discard-pictures --serial 1 --framesize 20 "$@"; }

espeak-ng -v en-us -s 172 -p 45 -w "$work/voice.wav" "$(cat <<'TEXT'
This is Jitterbug. Every word you hear was cut into small packets, fifty a second, and each found its own way across
the network. Some arrive late. Some arrive twice. Some never arrive at all. A stream would stop and wait for them. A
datagram does not wait. What you hear is what the network did.
TEXT
)"
sox "$work/voice.wav" -r 48000 -c 1 -b 16 "$work/speech.wav" norm -3 pad 0.2 0.4
encode --bitrate 32 --speech "$work/speech.wav" speech.opus

python3 synthesize.py music "$work/music.wav"
encode --bitrate 96 --cvbr --music "$work/music.wav" music.opus

python3 synthesize.py chime chime.wav

# A key frame each second and nothing that refers past one, three B-frames between others, and timing in the stream.
ffmpeg -v error -y -f lavfi -i testsrc2=size=640x360:rate=25 -t 6 -c:v libx264 -preset slow -crf 27 -pix_fmt yuv420p \
  -bf 3 -g 25 -keyint_min 25 -sc_threshold 0 -threads 1 -f h264 clip.h264

ls -l speech.opus music.opus chime.wav clip.h264
