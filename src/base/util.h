/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small things that C lacks: array length, container of a member, and checked
 * narrowing. Narrowing asserts, so it is for values that the caller already
 * knows to fit; a value from outside is compared and refused first.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"

/* Number of elements of an array (not of a pointer). */
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The struct @type whose member @member is at @ptr. */
#define CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Each evaluates its arguments twice: no side effects in them. */
#define COAX_MIN(a, b) ((a) < (b) ? (a) : (b))
#define COAX_MAX(a, b) ((a) > (b) ? (a) : (b))

/* Marks a function that formats as printf(3): @fmt and @args count from 1. */
#define COAX_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

static inline uint8_t
u8_from_size(size_t v)
{
	ASSERT(v <= UINT8_MAX);
	return (uint8_t)v;
}

static inline uint16_t
u16_from_size(size_t v)
{
	ASSERT(v <= UINT16_MAX);
	return (uint16_t)v;
}

static inline uint32_t
u32_from_size(size_t v)
{
	ASSERT(v <= UINT32_MAX);
	return (uint32_t)v;
}
