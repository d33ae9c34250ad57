/* SPDX-License-Identifier: BSD-2-Clause */
/* xnb on Xen, in a build without Xen's libraries: it says so. */
#include <errno.h>

#include "base/str.h"
#include "drv/xnb/xen_host.h"

static int
nolib_create(struct xen_host **out, char *why, size_t size)
{
	(void)out;
	(void)str_copy(why, size,
	    "this coaxd was built without Xen's libraries (libxenstore, "
	    "libxengnttab, libxenevtchn)");
	return -EOPNOTSUPP;
}

const struct xen_host_ops xen_host_lib = { .create = nolib_create };
