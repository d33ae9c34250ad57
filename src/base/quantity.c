/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers with units. See quantity.h. */
#include "base/quantity.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

#define DECIMALS_MAX   9 /* read, and written where nothing else will do */
#define DECIMALS_SHORT 3

const struct quantity_unit quantity_time[] = {
	{ "s", 1000000000 },
	{ "ms", 1000000 },
	{ "us", 1000 },
	{ "ns", 1 },
	{ .name = NULL },
};

const struct quantity_unit quantity_rate[] = {
	{ "Tbit", 1000000000000 },
	{ "Gbit", 1000000000 },
	{ "Mbit", 1000000 },
	{ "kbit", 1000 },
	{ "bit", 1 },
	{ "Tbit/s", 1000000000000 },
	{ "Gbit/s", 1000000000 },
	{ "Mbit/s", 1000000 },
	{ "kbit/s", 1000 },
	{ "bit/s", 1 },
	{ "GByte/s", 8000000000 },
	{ "MByte/s", 8000000 },
	{ "kByte/s", 8000 },
	{ "Byte/s", 8 },
	{ .name = NULL },
};

const struct quantity_unit quantity_size[] = {
	{ "g", 1u << 30 },
	{ "m", 1u << 20 },
	{ "k", 1u << 10 },
	{ "", 1 },
	{ "gb", 1u << 30 },
	{ "mb", 1u << 20 },
	{ "kb", 1u << 10 },
	{ "b", 1 },
	{ .name = NULL },
};

const struct quantity_unit quantity_percent[] = {
	{ "%", QUANTITY_WHOLE / 100 },
	{ .name = NULL },
};

__extension__ typedef unsigned __int128 u128;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int
quantity_parse(const char *s, const struct quantity_unit *units, uint64_t max,
    uint64_t *out)
{
	uint64_t whole = 0, part = 0, scale = 1;
	bool over = false;
	u128 v;

	if (!is_digit(*s))
		return -EINVAL;
	for (; is_digit(*s); s++) {
		over = over || __builtin_mul_overflow(whole, 10, &whole) ||
		       __builtin_add_overflow(whole, *s - '0', &whole);
	}
	if (*s == '.') {
		int decimals = 0;

		for (s++; is_digit(*s); s++, decimals++) {
			if (decimals >= DECIMALS_MAX)
				return -EINVAL;
			part = part * 10 + (uint64_t)(*s - '0');
			scale *= 10;
		}
		if (decimals == 0)
			return -EINVAL;
	}
	if (*s == '\0' && !over && whole == 0 && part == 0) {
		*out = 0;
		return 0;
	}
	while (units->name != NULL && strcasecmp(units->name, s) != 0)
		units++;
	if (units->name == NULL || (u128)part * units->factor % scale != 0)
		return -EINVAL;
	v = (u128)whole * units->factor + (u128)part * units->factor / scale;
	if (over || v > max)
		return -ERANGE;
	*out = (uint64_t)v;
	return 0;
}

/* Writes @v in @unit, if @decimals are enough for it. */
static bool
format_in(uint64_t v, const struct quantity_unit *unit, int decimals,
    char buf[QUANTITY_STRLEN])
{
	struct sbuf b = sbuf_init(buf, QUANTITY_STRLEN);
	u128 rest = v % unit->factor;
	int n;

	sbuf_printf(&b, "%llu", (unsigned long long)(v / unit->factor));
	for (n = 0; rest != 0 && n < decimals; n++) {
		if (n == 0)
			sbuf_putc(&b, '.');
		rest *= 10;
		sbuf_putc(&b, (char)('0' + (int)(rest / unit->factor)));
		rest %= unit->factor;
	}
	sbuf_puts(&b, unit->name);
	return rest == 0 && sbuf_ok(&b);
}

char *
quantity_format(
    uint64_t v, const struct quantity_unit *units, char buf[QUANTITY_STRLEN])
{
	const struct quantity_unit *u, *smallest = units;

	for (u = units; u->name != NULL; u++) {
		if (u->factor <= v && format_in(v, u, DECIMALS_SHORT, buf))
			return buf;
		if (u->factor < smallest->factor)
			smallest = u;
	}
	(void)format_in(v, smallest, DECIMALS_MAX, buf);
	return buf;
}
