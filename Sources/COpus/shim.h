#ifndef COPUS_SHIM_H
#define COPUS_SHIM_H

#include <string.h>
#include <opus.h>

// opus_encoder_ctl and opus_decoder_ctl are variadic, which Swift can't call: one typed function a request.

static inline int copus_set_bitrate(OpusEncoder *encoder, opus_int32 bits_per_second) {
  return opus_encoder_ctl(encoder, OPUS_SET_BITRATE(bits_per_second));
}

static inline int copus_set_complexity(OpusEncoder *encoder, opus_int32 complexity) {
  return opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(complexity));
}

static inline int copus_set_vbr(OpusEncoder *encoder, opus_int32 variable) {
  return opus_encoder_ctl(encoder, OPUS_SET_VBR(variable));
}

static inline int copus_set_vbr_constraint(OpusEncoder *encoder, opus_int32 constrained) {
  return opus_encoder_ctl(encoder, OPUS_SET_VBR_CONSTRAINT(constrained));
}

static inline int copus_set_inband_fec(OpusEncoder *encoder, opus_int32 enabled) {
  return opus_encoder_ctl(encoder, OPUS_SET_INBAND_FEC(enabled));
}

static inline int copus_set_packet_loss(OpusEncoder *encoder, opus_int32 percent) {
  return opus_encoder_ctl(encoder, OPUS_SET_PACKET_LOSS_PERC(percent));
}

static inline int copus_set_dtx(OpusEncoder *encoder, opus_int32 enabled) {
  return opus_encoder_ctl(encoder, OPUS_SET_DTX(enabled));
}

static inline int copus_get_lookahead(OpusEncoder *encoder, opus_int32 *samples) {
  return opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(samples));
}

static inline int copus_reset_decoder(OpusDecoder *decoder) {
  return opus_decoder_ctl(decoder, OPUS_RESET_STATE);
}

// A state is one piece of memory without pointers into itself: opus.h says that a shallow copy is a copy.
static inline void copus_copy_decoder(OpusDecoder *to, const OpusDecoder *from, int channels) {
  memcpy(to, from, (size_t)opus_decoder_get_size(channels));
}

#endif
