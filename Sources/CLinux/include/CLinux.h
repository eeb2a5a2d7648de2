#ifndef CLINUX_H
#define CLINUX_H

// Linux interfaces that the Glibc module doesn't carry. This header must not define _GNU_SOURCE:
// it clashes with Swift's own view of the same headers.

#endif
