// Debian's stretching libraries, driven frame by frame as a jitter buffer would: for Benchmarks/stretching.
//
//     libraries METHOD CHANNELS EVENTS <in.raw >out.raw
//
// METHOD is sonic, soundtouch (as it comes), soundtouch-short (its windows set to fit a frame) or blind (a cross-fade
// of 5 ms without looking at the audio). EVENTS is a file with a line per event: first frame, frames, units to be put
// in in them (negative: taken out). Audio is 16 bit at 48 kHz, frames are of 20 ms. On standard error, at the end of
// each event: its number and how many units of the input were still held inside.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>
#include <algorithm>
#include <sonic.h>
#include <soundtouch/SoundTouch.h>

constexpr int rate = 48000, frame = 960;
struct Event { int start, frames, units; };
struct Method {
  virtual void set(double speed) = 0;
  virtual void put(const int16_t *samples, int units, std::vector<int16_t> &out) = 0;
  virtual void finish(std::vector<int16_t> &out) = 0;
  virtual ~Method() {}
};

struct Sonic: Method {
  int channels; sonicStream stream;
  explicit Sonic(int channels): channels(channels), stream(sonicCreateStream(rate, channels)) {}
  ~Sonic() { sonicDestroyStream(stream); }
  void set(double speed) { sonicSetSpeed(stream, speed); }
  void drain(std::vector<int16_t> &out) {
    while (int count = sonicSamplesAvailable(stream)) {
      size_t place = out.size();
      out.resize(place + count * channels);
      sonicReadShortFromStream(stream, out.data() + place, count);
    }
  }
  void put(const int16_t *samples, int units, std::vector<int16_t> &out) {
    sonicWriteShortToStream(stream, const_cast<int16_t *>(samples), units);
    drain(out);
  }
  void finish(std::vector<int16_t> &out) { sonicFlushStream(stream); drain(out); }
};

struct Touch: Method {
  int channels; soundtouch::SoundTouch touch;
  Touch(int channels, bool isShort): channels(channels) {
    touch.setSampleRate(rate);
    touch.setChannels(channels);
    if (isShort) {
      touch.setSetting(SETTING_SEQUENCE_MS, 15);
      touch.setSetting(SETTING_SEEKWINDOW_MS, 12);
      touch.setSetting(SETTING_OVERLAP_MS, 5);
    }
  }
  void set(double speed) { touch.setTempo(speed); }
  void drain(std::vector<int16_t> &out) {
    std::vector<soundtouch::SAMPLETYPE> samples(4096 * channels);
    while (int count = touch.receiveSamples(samples.data(), 4096))
      for (int index = 0; index < count * channels; index++)
        out.push_back(sizeof(samples[0]) == 2 ? int16_t(samples[index])
          : int16_t(std::max(-32768.0f, std::min(32767.0f, float(samples[index]) * 32768.0f))));
  }
  void put(const int16_t *samples, int units, std::vector<int16_t> &out) {
    std::vector<soundtouch::SAMPLETYPE> converted(units * channels);
    for (int index = 0; index < units * channels; index++)
      converted[index] = sizeof(converted[0]) == 2 ? soundtouch::SAMPLETYPE(samples[index])
        : soundtouch::SAMPLETYPE(samples[index] / 32768.0f);
    touch.putSamples(converted.data(), units);
    drain(out);
  }
  void finish(std::vector<int16_t> &out) { touch.flush(); drain(out); }
};

// Jumps by exactly what is asked, wherever that is.
static void blind(const std::vector<int16_t> &in, int channels, int start, int units, std::vector<int16_t> &out) {
  const int fade = 240;
  const int16_t *base = in.data() + size_t(start) * channels;
  int jump = -units;
  for (int index = 0; index < fade; index++)
    for (int channel = 0; channel < channels; channel++) {
      double weight = (index + 1.0) / (fade + 1);
      double value = base[index * channels + channel] * (1 - weight) + base[(index + jump) * channels + channel] * weight;
      out.push_back(int16_t(value));
    }
  for (int index = (fade + jump) * channels; index < frame * channels; index++) out.push_back(base[index]);
}

static Method *make(const std::string &name, int channels) {
  if (name == "sonic") return new Sonic(channels);
  if (name == "soundtouch") return new Touch(channels, false);
  if (name == "soundtouch-short") return new Touch(channels, true);
  return nullptr;
}

int main(int count, char **words) {
  if (count != 4) return fprintf(stderr, "usage: libraries METHOD CHANNELS EVENTS\n"), 2;
  std::string name = words[1];
  int channels = atoi(words[2]);
  std::vector<Event> events;
  FILE *file = fopen(words[3], "r");
  for (Event event; file && fscanf(file, "%d %d %d", &event.start, &event.frames, &event.units) == 3;)
    events.push_back(event);
  std::vector<int16_t> in, out;
  int16_t chunk[4096];
  while (size_t read = fread(chunk, 2, 4096, stdin)) in.insert(in.end(), chunk, chunk + read);
  int frames = int(in.size() / channels / frame);
  size_t next = 0;
  Method *method = make(name, channels);
  int debt = 0;
  for (int number = 0; number < frames; number++) {
    while (next < events.size() && number >= events[next].start + events[next].frames) next++, debt = 0;
    bool busy = next < events.size() && number >= events[next].start;
    const int16_t *samples = in.data() + size_t(number) * frame * channels;
    if (method) {
      double length = busy ? double(events[next].frames) * frame : 1;
      method->set(busy ? length / (length + events[next].units) : 1);
      method->put(samples, frame, out);
      if (busy && number + 1 == events[next].start + events[next].frames) {
        // What is inside now comes out of a second instance that gets the same and is emptied here.
        if (next < 12) {
          Method *twin = make(name, channels);
          std::vector<int16_t> heard;
          size_t passed = 0;
          for (int back = 0; back <= number; back++) {
            while (passed < events.size() && back >= events[passed].start + events[passed].frames) passed++;
            bool was = passed < events.size() && back >= events[passed].start;
            double spanned = was ? double(events[passed].frames) * frame : 1;
            twin->set(was ? spanned / (spanned + events[passed].units) : 1);
            twin->put(in.data() + size_t(back) * frame * channels, frame, heard);
          }
          size_t before = heard.size();
          twin->set(1);
          twin->finish(heard);
          fprintf(stderr, "%zu %zu\n", next, (heard.size() - before) / channels);
          delete twin;
        }
      }
    } else {
      if (busy) debt += events[next].units / events[next].frames;
      if (busy && number > 0 && (std::abs(debt) >= 384 || number + 1 == events[next].start + events[next].frames)) {
        blind(in, channels, number * frame, debt, out);
        debt = 0;
      } else {
        out.insert(out.end(), samples, samples + frame * channels);
      }
    }
  }
  if (method) { method->set(1); method->finish(out); }
  fwrite(out.data(), 2, out.size(), stdout);
  return 0;
}
