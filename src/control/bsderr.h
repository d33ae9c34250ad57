/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error numbers as a BSD user reads them: the name ("EEXIST") that programs
 * compare and the sentence ("File exists") that strerror(3) of FreeBSD prints.
 * The C library's own wording differs in places ("Operation not supported" of
 * two numbers, "Device busy"), so the table is ours.
 *
 * Numbers are Linux's: they never leave the program, only names and
 * sentences do.
 */
#pragma once

/**
 * bsd_errname() - the name of an error
 * @err: errno, positive or negative
 *
 * Return: "EINVAL"; "E?" for a number that is not in the table. Static.
 */
const char *bsd_errname(int err);

/**
 * bsd_strerror() - FreeBSD's sentence for an error
 * @err: errno, positive or negative
 *
 * Return: "Invalid argument"; "Unknown error" if not in the table. Static.
 */
const char *bsd_strerror(int err);

/** bsd_errno() - the (positive) number of a name, or 0 if it is unknown */
int bsd_errno(const char *name);
