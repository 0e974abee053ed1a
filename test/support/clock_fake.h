// SPDX-License-Identifier: Apache-2.0
// A clock that tests move themselves, linked in place of lib/base/clock.c. Until the
// first clock_fake_set() it shows the real time, so that tests of real events need nothing.
#pragma once

#include <stdint.h>

// Stops the clocks: clock_mono_ms() is mono_ms, clock_wall_ms() is wall_ms.
void clock_fake_set(int64_t mono_ms, int64_t wall_ms);
// Moves both on (the clocks must be stopped).
void clock_fake_advance(int64_t ms);
// Moves the wall clock alone, as a person or NTP does.
void clock_fake_step_wall(int64_t ms);
// Back to real time.
void clock_fake_release(void);
