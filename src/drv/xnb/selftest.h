/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The built-in tests of xnb, as dev.xnb.N.unit_test_results runs them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct xnb_selftest_result {
	uint32_t passed, failed;
	/* "function:line Assertion Error: expression" for each that did not
	 * hold, then "N Tests Passed", and "N Tests FAILED" if there are any.
	 * Owned: free(3). */
	char *text;
};

/**
 * xnb_selftest_run() - run all tests
 *
 * Each has rings, memory, interface and pool of its own: nothing that is in
 * use is touched. Errors that are simulated go to the log, as real ones do.
 *
 * Return: 0, or -ENOMEM (@out is untouched).
 */
int xnb_selftest_run(struct xnb_selftest_result *out);
