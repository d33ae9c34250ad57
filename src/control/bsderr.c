/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and sentences of errors. See bsderr.h.
 * Source: FreeBSD intro(2), "DIAGNOSTICS". */
#include "control/bsderr.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/util.h"

static const struct bsd_error {
	int err;
	const char *name, *text;
} errors[] = {
	{ EPERM, "EPERM", "Operation not permitted" },
	{ ENOENT, "ENOENT", "No such file or directory" },
	{ ESRCH, "ESRCH", "No such process" },
	{ EINTR, "EINTR", "Interrupted system call" },
	{ EIO, "EIO", "Input/output error" },
	{ ENXIO, "ENXIO", "Device not configured" },
	{ E2BIG, "E2BIG", "Argument list too long" },
	{ EBADF, "EBADF", "Bad file descriptor" },
	{ ECHILD, "ECHILD", "No child processes" },
	{ EAGAIN, "EAGAIN", "Resource temporarily unavailable" },
	{ ENOMEM, "ENOMEM", "Cannot allocate memory" },
	{ EACCES, "EACCES", "Permission denied" },
	{ EFAULT, "EFAULT", "Bad address" },
	{ EBUSY, "EBUSY", "Device busy" },
	{ EEXIST, "EEXIST", "File exists" },
	{ EXDEV, "EXDEV", "Cross-device link" },
	{ ENODEV, "ENODEV", "Operation not supported by device" },
	{ ENOTDIR, "ENOTDIR", "Not a directory" },
	{ EISDIR, "EISDIR", "Is a directory" },
	{ EINVAL, "EINVAL", "Invalid argument" },
	{ ENFILE, "ENFILE", "Too many open files in system" },
	{ EMFILE, "EMFILE", "Too many open files" },
	{ ENOTTY, "ENOTTY", "Inappropriate ioctl for device" },
	{ EFBIG, "EFBIG", "File too large" },
	{ ENOSPC, "ENOSPC", "No space left on device" },
	{ EROFS, "EROFS", "Read-only file system" },
	{ EPIPE, "EPIPE", "Broken pipe" },
	{ EDOM, "EDOM", "Numerical argument out of domain" },
	{ ERANGE, "ERANGE", "Result too large" },
	{ EINPROGRESS, "EINPROGRESS", "Operation now in progress" },
	{ EALREADY, "EALREADY", "Operation already in progress" },
	{ EMSGSIZE, "EMSGSIZE", "Message too long" },
	{ EPROTONOSUPPORT, "EPROTONOSUPPORT", "Protocol not supported" },
	{ EOPNOTSUPP, "EOPNOTSUPP", "Operation not supported" },
	{ EAFNOSUPPORT, "EAFNOSUPPORT",
	    "Address family not supported by protocol family" },
	{ EADDRINUSE, "EADDRINUSE", "Address already in use" },
	{ EADDRNOTAVAIL, "EADDRNOTAVAIL", "Can't assign requested address" },
	{ ENETDOWN, "ENETDOWN", "Network is down" },
	{ ENETUNREACH, "ENETUNREACH", "Network is unreachable" },
	{ ECONNABORTED, "ECONNABORTED", "Software caused connection abort" },
	{ ECONNRESET, "ECONNRESET", "Connection reset by peer" },
	{ ENOBUFS, "ENOBUFS", "No buffer space available" },
	{ EISCONN, "EISCONN", "Socket is already connected" },
	{ ENOTCONN, "ENOTCONN", "Socket is not connected" },
	{ ETIMEDOUT, "ETIMEDOUT", "Operation timed out" },
	{ ECONNREFUSED, "ECONNREFUSED", "Connection refused" },
	{ ELOOP, "ELOOP", "Too many levels of symbolic links" },
	{ ENAMETOOLONG, "ENAMETOOLONG", "File name too long" },
	{ EHOSTDOWN, "EHOSTDOWN", "Host is down" },
	{ EHOSTUNREACH, "EHOSTUNREACH", "No route to host" },
	{ ENOTEMPTY, "ENOTEMPTY", "Directory not empty" },
	{ EUSERS, "EUSERS", "Too many users" },
	{ ENOSYS, "ENOSYS", "Function not implemented" },
	{ EOVERFLOW, "EOVERFLOW", "Value too large to be stored in data type" },
	{ ECANCELED, "ECANCELED", "Operation canceled" },
	{ EBADMSG, "EBADMSG", "Bad message" },
	{ EPROTO, "EPROTO", "Protocol error" },
	{ ENOTSUP, "ENOTSUP", "Operation not supported" },
	{ EDQUOT, "EDQUOT", "Disc quota exceeded" },
	{ ENOTSOCK, "ENOTSOCK", "Socket operation on non-socket" },
	{ EDESTADDRREQ, "EDESTADDRREQ", "Destination address required" },
	{ EPROTOTYPE, "EPROTOTYPE", "Protocol wrong type for socket" },
	{ ENOPROTOOPT, "ENOPROTOOPT", "Protocol not available" },
	{ ESOCKTNOSUPPORT, "ESOCKTNOSUPPORT", "Socket type not supported" },
	{ EPFNOSUPPORT, "EPFNOSUPPORT", "Protocol family not supported" },
	{ ENETRESET, "ENETRESET", "Network dropped connection on reset" },
	{ ESHUTDOWN, "ESHUTDOWN", "Can't send after socket shutdown" },
	{ EDEADLK, "EDEADLK", "Resource deadlock avoided" },
	{ ENOEXEC, "ENOEXEC", "Exec format error" },
	{ ETXTBSY, "ETXTBSY", "Text file busy" },
	{ ESPIPE, "ESPIPE", "Illegal seek" },
	{ EMLINK, "EMLINK", "Too many links" },
	{ ESTALE, "ESTALE", "Stale NFS file handle" },
	{ EILSEQ, "EILSEQ", "Illegal byte sequence" },
};

static const struct bsd_error *
find(int err)
{
	if (err < 0)
		err = -err;
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (errors[i].err == err)
			return &errors[i];
	return NULL;
}

const char *
bsd_errname(int err)
{
	const struct bsd_error *e = find(err);

	return e != NULL ? e->name : "E?";
}

const char *
bsd_strerror(int err)
{
	const struct bsd_error *e = find(err);

	return e != NULL ? e->text : "Unknown error";
}

int
bsd_errno(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++)
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].err;
	return 0;
}
