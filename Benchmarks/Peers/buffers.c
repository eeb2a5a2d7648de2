/* Other jitter buffers under the load of Benchmarks/PacketPath/BufferBenchmark.swift, for Benchmarks/buffers.

   buffers            nanoseconds a slot of each, the least of several runs
   buffers NAME N     one run of N slots, to be counted by valgrind

   speexdsp: jitter_buffer_put, jitter_buffer_get and jitter_buffer_tick. gstreamer: the element rtpjitterbuffer in a
   GstHarness with latency 0, so that each packet is pushed out at once; what a buffer costs to make is in it, as it is
   for every user of the element. */
#include <gst/check/gstharness.h>
#include <gst/gst.h>
#include <speex/speex_jitter.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PERIOD = 4096, PAYLOAD = 160, FRAME = 960 };

struct arrival {
  int number, slot;
};

static struct arrival order[PERIOD];
static int orderCount;

static int compare(const void *a, const void *b) {
  const struct arrival *x = a, *y = b;
  return x->slot != y->slot ? x->slot - y->slot : x->number - y->number;
}

static void schedule(int lossy) {
  uint64_t seed = 1;
  orderCount = 0;
  for (int number = 0; number < PERIOD; number++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    int chance = (int)((seed >> 33) % 1000);
    if (lossy && chance < 10) continue;
    int late = lossy && chance < 60 ? 1 + chance % 3 : 0;
    order[orderCount++] = (struct arrival){number, number + late};
  }
  qsort(order, orderCount, sizeof order[0], compare);
}

static uint64_t speex(int slots) {
  JitterBuffer *buffer = jitter_buffer_init(FRAME);
  char payload[PAYLOAD], out[2048];
  memset(payload, 0x78, sizeof payload);
  uint64_t sum = 0;
  int next = 0, base = 0;
  for (int slot = 0; slot < slots; slot++) {
    while (base + order[next].slot <= slot) {
      int number = base + order[next].number;
      JitterBufferPacket packet = {.data = payload, .len = PAYLOAD, .timestamp = (uint32_t)number * FRAME, .span = FRAME,
                                   .sequence = (uint16_t)number};
      jitter_buffer_put(buffer, &packet);
      if (++next == orderCount) next = 0, base += PERIOD;
    }
    JitterBufferPacket packet = {.data = out, .len = sizeof out};
    if (jitter_buffer_get(buffer, &packet, FRAME, NULL) == JITTER_BUFFER_OK) sum += packet.len;
    jitter_buffer_tick(buffer);
  }
  jitter_buffer_destroy(buffer);
  return sum;
}

static uint64_t gstreamer(int slots) {
  GstHarness *harness = gst_harness_new_parse("rtpjitterbuffer latency=0 mode=none");
  gst_harness_use_testclock(harness);
  gst_harness_set_src_caps_str(
      harness, "application/x-rtp,media=audio,payload=111,clock-rate=48000,encoding-name=OPUS,ssrc=(uint)1");
  uint64_t sum = 0;
  int next = 0, base = 0;
  for (int slot = 0; slot < slots; slot++) {
    while (base + order[next].slot <= slot) {
      int number = base + order[next].number;
      GstBuffer *buffer = gst_buffer_new_allocate(NULL, 12 + PAYLOAD, NULL);
      uint32_t time = (uint32_t)number * FRAME;
      unsigned char header[12] = {0x80, 111, (unsigned char)(number >> 8), (unsigned char)number,
                                  (unsigned char)(time >> 24), (unsigned char)(time >> 16),
                                  (unsigned char)(time >> 8), (unsigned char)time, 0, 0, 0, 1};
      gst_buffer_fill(buffer, 0, header, sizeof header);
      GST_BUFFER_DTS(buffer) = GST_BUFFER_PTS(buffer) = (GstClockTime)slot * 20 * GST_MSECOND;
      gst_harness_push(harness, buffer);
      if (++next == orderCount) next = 0, base += PERIOD;
    }
    gst_harness_set_time(harness, (GstClockTime)slot * 20 * GST_MSECOND);
    GstBuffer *out;
    while ((out = gst_harness_try_pull(harness))) {
      sum += gst_buffer_get_size(out);
      gst_buffer_unref(out);
    }
  }
  gst_harness_teardown(harness);
  return sum;
}

static const struct {
  const char *name;
  uint64_t (*run)(int);
  int lossy, slots;
} peers[] = {{"speexdsp", speex, 0, 50000},
             {"speexdsp-lossy", speex, 1, 50000},
             {"gstreamer", gstreamer, 0, 20000},
             {"gstreamer-lossy", gstreamer, 1, 20000}};

int main(int count, char **words) {
  gst_init(NULL, NULL);
  for (size_t peer = 0; peer < sizeof peers / sizeof peers[0]; peer++) {
    schedule(peers[peer].lossy);
    if (count > 2) {
      if (strcmp(words[1], peers[peer].name) == 0) printf("%llu\n", (unsigned long long)peers[peer].run(atoi(words[2])));
      continue;
    }
    if (count > 1) {
      puts(peers[peer].name);
      continue;
    }
    double least = 1e18;
    for (int round = 0; round < 7; round++) {
      struct timespec from, to;
      clock_gettime(CLOCK_MONOTONIC, &from);
      if (peers[peer].run(peers[peer].slots) == UINT64_MAX) abort();
      clock_gettime(CLOCK_MONOTONIC, &to);
      double took = ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / peers[peer].slots;
      if (took < least) least = took;
    }
    printf("%s %.1f\n", peers[peer].name, least);
  }
  return 0;
}
