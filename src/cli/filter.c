/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Filters: libpcap compiles them.  It is loaded when there is one, not when any
 * command begins: loading it takes longer than most commands run.
 */
#include <dlfcn.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cli/capture.h"
#include "control/text.h"

#define LIBPCAP       "libpcap.so.0.8" /* Debian's name; others': */
#define LIBPCAP_OTHER "libpcap.so.1"
#define METADATA      0xfffff000u /* SKF_AD_OFF */

static struct {
	void *handle;
	__typeof__(pcap_open_dead) *open_dead;
	__typeof__(pcap_compile) *compile;
	__typeof__(pcap_geterr) *geterr;
	__typeof__(pcap_freecode) *freecode;
	__typeof__(pcap_close) *close;
} lib;

/* True if all of it is there. */
static bool
load(void)
{
	struct {
		const char *name;
		void *to;
	} wanted[] = {
		{ "pcap_open_dead", &lib.open_dead },
		{ "pcap_compile", &lib.compile },
		{ "pcap_geterr", &lib.geterr },
		{ "pcap_freecode", &lib.freecode },
		{ "pcap_close", &lib.close },
	};

	if (lib.handle != NULL)
		return true;
	lib.handle = dlopen(LIBPCAP, RTLD_NOW | RTLD_LOCAL);
	if (lib.handle == NULL)
		lib.handle = dlopen(LIBPCAP_OTHER, RTLD_NOW | RTLD_LOCAL);
	if (lib.handle == NULL)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		void *f = dlsym(lib.handle, wanted[i].name);

		if (f == NULL)
			return false;
		memcpy(wanted[i].to, &f, sizeof(f));
	}
	return true;
}

static char *
text_of(const struct bpf_program *bpf)
{
	struct text t = { 0 };

	text_printf(&t, "%u", bpf->bf_len);
	for (unsigned int i = 0; i < bpf->bf_len; i++) {
		const struct bpf_insn *n = &bpf->bf_insns[i];

		text_printf(&t, ",%u %u %u %u", n->code, n->jt, n->jf, n->k);
	}
	if (text_ok(&t))
		return t.s;
	text_free(&t);
	return NULL;
}

/* Why a filter that libpcap compiles cannot be run; NULL: it can. */
static const char *
cannot_run(const struct bpf_program *bpf)
{
	for (unsigned int i = 0; i < bpf->bf_len; i++) {
		const struct bpf_insn *n = &bpf->bf_insns[i];

		if (n->code == (BPF_JMP | BPF_JA) && n->k >= bpf->bf_len)
			return "\"protochain\" may take any time, and is not "
			       "allowed";
		/* Linux's metadata of packet sockets. */
		if (BPF_CLASS(n->code) == BPF_LD &&
		    BPF_MODE(n->code) == BPF_ABS && n->k >= METADATA)
			return "it asks for what is not in the frame; for "
			       "directions there are --in and --out";
	}
	return NULL;
}

int
capture_filter_compile(
    const char *filter, uint32_t snaplen, char **program, char **why)
{
	struct bpf_program bpf;
	pcap_t *pc;
	int err = -1;

	*program = NULL;
	*why = NULL;
	if (filter == NULL || filter[strspn(filter, " \t\n")] == '\0')
		return 0;
	if (!load()) {
		*why = strdup(
		    "filters need libpcap (" LIBPCAP "), which is not here");
		return -1;
	}
	pc = lib.open_dead(
	    DLT_EN10MB, snaplen != 0 ? (int)snaplen : (int)PCAPNG_SNAPLEN_MAX);
	if (pc == NULL)
		return -1;
	if (lib.compile(pc, &bpf, filter, 1, PCAP_NETMASK_UNKNOWN) != 0) {
		*why = strdup(lib.geterr(pc));
	} else {
		const char *reason = cannot_run(&bpf);

		if (reason != NULL)
			*why = strdup(reason);
		else
			*program = text_of(&bpf);
		err = *program != NULL ? 0 : -1;
		lib.freecode(&bpf);
	}
	lib.close(pc);
	return err;
}
