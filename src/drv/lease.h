/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a DHCP client's script says (drv/dhcp-script): one line for each event.
 *
 *     bound ADDRESS MASK ROUTER SERVER SECONDS DNS     '-': not said
 *     lost
 *
 * The values come from a network: they are addresses, or are not taken.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct lease {
	struct in_addr addr, router, server, dns; /* 0: none */
	uint32_t prefixlen;
	uint32_t seconds;
};

/**
 * lease_parse() - a "bound" line
 * @line: changed
 *
 * Return: false if it is no such line, or has no usable address or mask.
 */
bool lease_parse(char *line, struct lease *out);
