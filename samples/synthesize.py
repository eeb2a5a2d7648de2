#!/usr/bin/env python3
"""Makes the project's music and chime from nothing but arithmetic: no samples, no libraries, no one else's rights.

    synthesize.py music OUTPUT.wav     30.0 s, 48 kHz, stereo
    synthesize.py chime OUTPUT.wav      2.6 s, 44.1 kHz, stereo

The music is twelve bars of 4/4 at 96 beats a minute in D: a soft pad, a plucked arpeggio, a bass, a bell for the tune
and a light drum kit. Plucks, hats and drums have sharp onsets, in which a lost packet is easily heard.
"""

import array
import math
import random
import sys
import wave

BAR, BEAT = 2.5, 0.625
NAMES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def hertz(note):
    """The frequency of a note such as F#4."""
    semitone = NAMES[note[0]] + (1 if "#" in note else 0) + 12 * int(note[-1])
    return 440.0 * 2 ** ((semitone - 57) / 12)


class Mix:
    """Two channels of samples into which voices are added."""

    def __init__(self, seconds, rate):
        self.rate = rate
        self.left = [0.0] * round(seconds * rate)
        self.right = [0.0] * len(self.left)

    def add(self, start, samples, gain, pan=0.0):
        """Adds a voice; pan goes from -1 (left) to 1 (right)."""
        left = gain * math.cos((pan + 1) * math.pi / 4)
        right = gain * math.sin((pan + 1) * math.pi / 4)
        first = round(start * self.rate)
        for index, sample in enumerate(samples[: max(0, len(self.left) - first)], first):
            self.left[index] += left * sample
            self.right[index] += right * sample

    def echo(self, seconds, gain):
        """Sends what is heard on one side back on the other, a little later and softer, again and again."""
        delay = round(seconds * self.rate)
        for index in range(delay, len(self.left)):
            self.left[index] += gain * self.right[index - delay]
            self.right[index] += gain * self.left[index - delay]

    def save(self, path, fade):
        """Scales to -1.4 dB of full scale, fades the end out, writes 16 bits."""
        loudest = max(max(map(abs, self.left)), max(map(abs, self.right)))
        count, fading = len(self.left), round(fade * self.rate)
        data = array.array("h")
        for index in range(count):
            gain = 0.85 / loudest * 32767 * min(1.0, (count - 1 - index) / fading)
            data.append(round(self.left[index] * gain))
            data.append(round(self.right[index] * gain))
        if sys.byteorder == "big":
            data.byteswap()
        with wave.open(path, "wb") as output:
            output.setparams((2, 2, self.rate, 0, "NONE", ""))
            output.writeframes(data.tobytes())


def pluck(rate, frequency, seconds, noise):
    """A plucked string (Karplus and Strong, 1983)."""
    period = max(2, round(rate / frequency - 0.5))
    string = [noise.uniform(-1, 1) for _ in range(period)]
    mean = sum(string) / period
    string = [sample - mean for sample in string]
    count = round(seconds * rate)
    plucked = []
    for index in range(round(count * 1.1) + 2):
        place = index % period
        plucked.append(string[place])
        string[place] = 0.4985 * (string[place] + string[(place + 1) % period])
    # A string has a whole number of samples, and its average takes another half: what is missing to the pitch is made
    # up by playing it a little faster or slower.
    speed = frequency * (period + 0.5) / rate
    result = []
    for index in range(count):
        whole = int(index * speed)
        part = index * speed - whole
        loud = min(1.0, (count - index) / 1000)
        result.append(loud * ((1 - part) * plucked[whole] + part * plucked[whole + 1]))
    return result


def bell(rate, frequency, seconds, bright=2.2):
    """A struck bar by frequency modulation (Chowning, 1973)."""
    result = []
    for index in range(round(seconds * rate)):
        time = index / rate
        depth = bright * math.exp(-5 * time)
        phase = 2 * math.pi * frequency * time
        loud = min(1, time / 0.002) * math.exp(-2.6 * time)
        result.append(loud * math.sin(phase + depth * math.sin(3.0 * phase)))
    return result


def pad(rate, frequency, seconds):
    """A soft, slowly swelling tone: two of them, a trifle out of tune."""
    result = []
    for index in range(round(seconds * rate)):
        time = index / rate
        loud = min(1, time / 0.5, max(0.0, seconds - time) / 0.4)
        sample = 0.0
        for detuned in (0.9985, 1.0015):
            phase = 2 * math.pi * frequency * detuned * time
            sample += math.sin(phase) + 0.35 * math.sin(2 * phase) + 0.15 * math.sin(3 * phase)
        result.append(0.5 * loud * sample)
    return result


def bass(rate, frequency, seconds):
    """A round, low tone."""
    result = []
    for index in range(round(seconds * rate)):
        time = index / rate
        phase = 2 * math.pi * frequency * time
        loud = min(1, time / 0.008, max(0.0, seconds - time) / 0.04) * math.exp(-1.2 * time)
        result.append(loud * (math.sin(phase) + 0.4 * math.sin(2 * phase) + 0.12 * math.sin(3 * phase)))
    return result


def kick(rate):
    """A falling tone with a click."""
    result, phase = [], 0.0
    for index in range(round(0.28 * rate)):
        time = index / rate
        phase += 2 * math.pi * (48 + 130 * math.exp(-38 * time)) / rate
        result.append(math.exp(-13 * time) * math.sin(phase))
    return result


def snare(rate, noise):
    """Noise over a short tone."""
    result = []
    for index in range(round(0.2 * rate)):
        time = index / rate
        tone = math.exp(-28 * time) * math.sin(2 * math.pi * 190 * time)
        result.append(0.5 * tone + 0.6 * math.exp(-20 * time) * noise.uniform(-1, 1))
    return result


def hat(rate, noise, decay):
    """Bright noise: what is left of it after the sample before is taken away."""
    result, before = [], 0.0
    for index in range(round(5 / decay * rate)):
        sample = noise.uniform(-1, 1)
        result.append(math.exp(-decay * index / rate) * (sample - before) / 2)
        before = sample
    return result


# One chord a bar: the bass, then the notes from low to high.
D, A, BM, G = ("D2", "D3 A3 D4 F#4"), ("A1", "C#3 A3 C#4 E4"), ("B1", "D3 B3 D4 F#4"), ("G1", "D3 G3 B3 D4")
EM, F_M = ("E2", "E3 G3 B3 E4"), ("F#1", "C#3 A3 C#4 F#4")
CHORDS = [D, G, D, A, BM, G, EM, A, BM, F_M, G, D]

# The tune: the bar, the beat in it, the note, the beats it lasts.
TUNE = [
    (2, 0, "F#5", 1), (2, 1, "A5", 1), (2, 2, "D6", 1.5), (2, 3.5, "C#6", 0.5),
    (3, 0, "C#6", 1), (3, 1, "A5", 1.5), (3, 2.5, "E5", 0.5), (3, 3, "G5", 1),
    (4, 0, "F#5", 1.5), (4, 1.5, "E5", 0.5), (4, 2, "D5", 1), (4, 3, "F#5", 1),
    (5, 0, "B5", 2), (5, 2, "A5", 1), (5, 3, "G5", 1),
    (6, 0, "G5", 1), (6, 1, "F#5", 0.5), (6, 1.5, "E5", 0.5), (6, 2, "B5", 1.5), (6, 3.5, "A5", 0.5),
    (7, 0, "A5", 2.5), (7, 2.5, "C#6", 0.5), (7, 3, "E6", 1),
    (8, 0, "D6", 1), (8, 1, "B5", 1), (8, 2, "F#5", 1), (8, 3, "B5", 1),
    (9, 0, "A5", 1), (9, 1, "C#6", 1), (9, 2, "F#6", 1.5), (9, 3.5, "E6", 0.5),
    (10, 0, "D6", 1), (10, 1, "B5", 1), (10, 2, "G5", 1), (10, 3, "A5", 1),
    (11, 0, "D5", 1), (11, 0.5, "A5", 1), (11, 1, "D6", 3),
]  # fmt: skip


def music(path):
    """Plays the score."""
    rate, noise = 48_000, random.Random(1)
    mix = Mix(30.0, rate)
    for bar, (root, chord) in enumerate(CHORDS):
        start, notes = bar * BAR, chord.split()
        for place, note in enumerate(notes):
            mix.add(start, pad(rate, hertz(note), BAR + 0.3), 0.055, -0.6 + 0.4 * place)
        last = bar == len(CHORDS) - 1
        for step in range(1 if last else 8):
            order = (0, 1, 2, 3, 2, 3, 1, 2)[step]
            tone = hertz(notes[order]) * (2 if step % 2 else 1)
            mix.add(start + step * BEAT / 2, pluck(rate, tone, 0.9, noise), 0.16, 0.5 if step % 2 else -0.5)
        if bar >= 1:
            for beat, beats in ((0, 3.8),) if last else ((0, 1.4), (1.5, 0.9), (2.5, 1.4)):
                mix.add(start + beat * BEAT, bass(rate, hertz(root), beats * BEAT), 0.3)
        if 2 <= bar < len(CHORDS) - 1:
            for beat in (0, 2, 2.5):
                mix.add(start + beat * BEAT, kick(rate), 0.5)
            for beat in (1, 3):
                mix.add(start + beat * BEAT, snare(rate, noise), 0.24, 0.1)
            for step in range(8):
                mix.add(start + step * BEAT / 2, hat(rate, noise, 18 if step == 7 else 60), 0.13, 0.35)
    for bar, beat, note, beats in TUNE:
        mix.add(bar * BAR + beat * BEAT, bell(rate, hertz(note), beats * BEAT + 0.8), 0.2, -0.1)
    mix.echo(0.75 * BEAT, 0.22)
    mix.save(path, fade=0.8)


def chime(path):
    """Four bells, one after the other."""
    rate = 44_100
    mix = Mix(2.6, rate)
    for index, note in enumerate(("E5", "C#5", "F#5", "A5")):
        mix.add(0.05 + 0.35 * index, bell(rate, hertz(note), 1.8, bright=3.0), 0.5, -0.6 + 0.4 * index)
    mix.echo(0.11, 0.25)
    mix.save(path, fade=0.4)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("music", "chime"):
        sys.exit(__doc__)
    {"music": music, "chime": chime}[sys.argv[1]](sys.argv[2])
