/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations of an ifconfig line on the net, one at a time. ifc_apply()
 * starts one; if it has to wait for the system, ifc_applied() is what happens
 * after the wait, and what happens at once otherwise.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ether.h"
#include "base/str.h"
#include "control/bsderr.h"
#include "control/ifconfig_impl.h"
#include "control/info_json.h"
#include "net/impair.h"

/* Refused by the system: "WHAT: Sentence", the detail is the net's message. */
static int
refused(struct ifconfig_run *run, int err, const char *what)
{
	if (run->net->message[0] != '\0' && run->detail[0] == '\0')
		ifc_detail(run, "%s", run->net->message);
	return ifc_fail(run, err, "%s: %s", what, bsd_strerror(err));
}

/* Why the system gave up a change of the host side that it had begun: @vnet is
 * where it was to be, NULL if that has gone. */
static void
canceled_detail(struct ifconfig_run *run, const struct vnet *vnet)
{
	if (ifc_iface(run) == NULL)
		ifc_detail(run, "%s was destroyed meanwhile", run->target);
	else if (vnet == NULL || vnet->dead)
		ifc_detail(run, "the vnet ended meanwhile");
	else
		ifc_detail(run, "another change of its host side came first");
}

static void
put_word(json_t *list, const char *word)
{
	json_array_append_new(list, json_string(word));
}

static void
addr_words(const struct ifc_addr *a, json_t *list)
{
	char text[INET6_ADDRSTRLEN + 8];

	put_word(list, a->family == AF_INET6 ? "inet6" : "inet");
	snprintf(text, sizeof(text), "%s/%u", a->addr, a->prefixlen);
	if (a->addr[0] != '\0')
		put_word(list,
		    a->masked || a->mode != IFC_ADDR_DELETE ? text : a->addr);
	if (a->dst[0] != '\0')
		put_word(list, a->dst);
	if (a->broadcast[0] != '\0') {
		put_word(list, "broadcast");
		put_word(list, a->broadcast);
	}
	if (a->mode != IFC_ADDR_SET)
		put_word(list, a->mode == IFC_ADDR_ALIAS ? "alias" : "-alias");
}

void
ifc_op_words(
    const struct ifconfig_run *run, const struct ifc_op *op, json_t *list)
{
	for (uint32_t w = 0; w < op->words; w++)
		put_word(list, run->words[op->word + w]);
	if (op->kind == IFC_ADDR)
		addr_words(&op->addr, list);
}

/* The daemon may not enter the vnet: the client's helper has to. */
static void
offer_helper(
    struct ifconfig_run *run, const struct vnet *vnet, const struct iface *ifp)
{
	json_t *rest = json_array();

	for (uint32_t i = run->op_next + 1; i < run->op_count; i++)
		ifc_op_words(run, &run->ops[i], rest);
	json_decref(run->helper);
	run->helper = json_pack("{s:s,s:s,s:b,s:o}", "vnet", vnet->name,
	    "iface", ifp->name, "created", run->created, "rest", rest);
}

/* create */

/* Not a host side where there is no host at all. */
static bool
create_wants_host(const struct ifconfig_run *run, const struct vnet *vnet)
{
	if (run->create_host != IFC_HOST_DEFAULT)
		return run->create_host == IFC_HOST_YES;
	return net_host_wanted(run->net, vnet);
}

static int
apply_create(struct ifconfig_run *run, struct ifc_op *op)
{
	struct vnet *vnet = ifc_vnet(run);
	struct iface *ifp;
	char what[128];
	int err;

	if (vnet == NULL)
		return ifc_fail(run, -ENXIO, "the vnet is gone");
	err = net_iface_create(run->net, vnet, run->target, &ifp);
	if (err == -EEXIST) {
		/* Its unit may live under another name. */
		if (run->net->message[0] != '\0')
			ifc_detail(run, "%s", run->net->message);
		return ifc_fail(
		    run, err, "interface %s already exists", run->target);
	}
	if (err == -EINVAL && run->net->message[0] == '\0')
		ifc_detail(run,
		    "units of %s are %u to %u, without leading zeros",
		    run->kind->kind, run->kind->unit_min, run->kind->unit_max);
	if (err != 0) {
		snprintf(what, sizeof(what), "SIOCIFCREATE2 (%s)", run->target);
		return refused(run, err, what);
	}
	run->index = ifp->index;
	run->exists = true;
	run->created = true;
	if (strcmp(ifp->name, run->target) != 0)
		(void)str_copy(
		    run->print_name, sizeof(run->print_name), ifp->name);
	if (!create_wants_host(run, vnet))
		return 0;
	err = net_host_attach(ifp, &run->wait);
	return err == -EINPROGRESS ? err : ifc_applied(run, op, err);
}

/* The host side of the other one. */
static int
apply_twin(struct ifconfig_run *run, struct ifc_op *op, struct iface *ifp)
{
	int err;

	if (ifp->twin == NULL || !create_wants_host(run, ifp->vnet))
		return 0;
	err = net_host_attach(ifp->twin, &run->wait);
	return err == -EINPROGRESS ? err : ifc_applied(run, op, err);
}

/* Nothing of a create that failed remains. */
static void
undo_create(struct ifconfig_run *run)
{
	struct iface *ifp = ifc_iface(run);

	if (ifp != NULL)
		(void)net_iface_destroy(ifp, NULL);
	run->exists = false;
	run->created = false;
	run->print_name[0] = '\0';
}

static int
created(struct ifconfig_run *run, const struct ifc_op *op, int err)
{
	struct iface *ifp = ifc_iface(run);
	char what[128];

	if (err == 0 || ifp == NULL)
		return 0;
	if (op->kind == IFC_TWIN && ifp->twin != NULL)
		ifp = ifp->twin;
	if (err == -EEXIST && run->net->message[0] == '\0')
		ifc_detail(run,
		    "the host has a network interface %s of its own",
		    ifp->name);
	if (err == -ECANCELED)
		canceled_detail(run, net_host_vnet(ifp));
	/* A helper makes one netdev a line. */
	if (err == -EACCES && ifp->twin != NULL)
		ifc_detail(run,
		    "vnet %s is another user's: create the pair at home, and "
		    "move its ends there",
		    net_host_vnet(ifp)->name);
	snprintf(what, sizeof(what), "SIOCIFCREATE2 (%s)", ifp->name);
	(void)refused(run, err, what);
	if (err == -EACCES && ifp->twin == NULL && net_host_vnet(ifp)->adopted)
		offer_helper(run, net_host_vnet(ifp), ifp);
	else
		undo_create(run);
	return err;
}

/* adopt */

static int
apply_adopt(struct ifconfig_run *run)
{
	struct vnet *vnet = ifc_vnet(run);
	struct iface *ifp;
	char what[128];
	int err;

	if (vnet == NULL)
		return ifc_fail(run, -ENXIO, "the vnet is gone");
	err = net_iface_adopt(run->net, vnet, run->target, &ifp);
	if (err != 0) {
		snprintf(what, sizeof(what), "interface %s", run->target);
		return refused(run, err, what);
	}
	run->index = ifp->index;
	run->exists = true;
	return 0;
}

/* destroy */

static int
apply_destroy(struct ifconfig_run *run, struct iface *ifp)
{
	int err;

	if ((ifp->ops->kind_flags & IFACE_KIND_NO_CLONE) != 0)
		return ifc_fail(
		    run, -EINVAL, "SIOCIFDESTROY: %s", bsd_strerror(EINVAL));
	run->exists = false;
	err = net_iface_destroy(ifp, &run->wait);
	if (err == -EINPROGRESS)
		run->background = true;
	return err;
}

/* vnet, host */

static int
apply_vnet(struct ifconfig_run *run, struct ifc_op *op, struct iface *ifp)
{
	struct vnet *vnet = ifp->vnet;
	int err;

	if (op->kind == IFC_VNET || op->str != NULL) {
		vnet = net_vnet_named(run->net, op->str);
		if (vnet == NULL)
			return ifc_fail(
			    run, -ENOENT, "jail \"%.64s\" not found", op->str);
	}
	if (op->kind == IFC_RVNET) {
		/* Named or not, it has to be away from home to come back. */
		if (ifp->host != NULL && op->str != NULL &&
		    ifp->host->vnet != vnet)
			return ifc_applied(run, op, -ENXIO);
		vnet = ifp->vnet;
	}
	if (ifp->host != NULL && ifp->host->vnet == vnet)
		return 0;
	err = net_host_move(ifp, vnet, &run->wait);
	if (err == -ENXIO && run->net->message[0] == '\0')
		ifc_detail(run, "%s has no host side: ifconfig %s host",
		    ifp->name, ifp->name);
	return err == -EINPROGRESS ? err : ifc_applied(run, op, err);
}

static int
vnet_moved(struct ifconfig_run *run, const struct ifc_op *op, int err)
{
	const struct iface *ifp = ifc_iface(run);
	const struct vnet *vnet;
	char what[160];

	if (err == 0)
		return 0;
	vnet = op->kind == IFC_VNET ? net_vnet_named(run->net, op->str)
	       : ifp != NULL        ? ifp->vnet
	                            : NULL;
	snprintf(what, sizeof(what), "SIOCSIFVNET");
	if (op->kind == IFC_RVNET)
		snprintf(what, sizeof(what), "SIOCSIFRVNET(%s, %s)",
		    op->str != NULL ? op->str : "0",
		    ifp != NULL ? ifp->name : run->target);
	if (err == -EEXIST && run->net->message[0] == '\0' && ifp != NULL &&
	    vnet != NULL)
		ifc_detail(run, "%s%s has an interface %s already",
		    vnet->name[0] != '\0' ? "vnet " : "the daemon's own vnet",
		    vnet->name, ifp->name);
	if (err == -ECANCELED)
		canceled_detail(run, vnet);
	(void)refused(run, err, what);
	if (op->kind == IFC_VNET && err == -EACCES && ifp != NULL &&
	    vnet != NULL && vnet->adopted)
		offer_helper(run, vnet, ifp);
	return err;
}

static int
host_changed(struct ifconfig_run *run, const struct ifc_op *op, int err)
{
	const struct iface *ifp = ifc_iface(run);

	if (err == 0)
		return 0;
	if (err == -EEXIST && run->net->message[0] == '\0' && ifp != NULL)
		ifc_detail(run,
		    "the host has a network interface %s of its own",
		    ifp->name);
	if (err == -ECANCELED)
		canceled_detail(run, ifp != NULL ? net_host_vnet(ifp) : NULL);
	(void)refused(run, err, op->kind == IFC_HOST ? "host" : "-host");
	if (err == -EACCES && ifp != NULL && net_host_vnet(ifp)->adopted)
		offer_helper(run, net_host_vnet(ifp), ifp);
	return err;
}

static int
apply_host(struct ifconfig_run *run, struct ifc_op *op, struct iface *ifp)
{
	int err = 0;

	if (ifp->ops->set_host != NULL) {
		err = ifp->ops->set_host(ifp, op->kind == IFC_HOST);
		return ifc_applied(run, op, err);
	}
	if (op->kind == IFC_HOST && ifp->host == NULL)
		err = net_host_attach(ifp, &run->wait);
	else if (op->kind == IFC_NOHOST && ifp->host != NULL)
		err = net_host_detach(ifp, &run->wait);
	return err == -EINPROGRESS ? err : ifc_applied(run, op, err);
}

/* name */

static int
apply_name(struct ifconfig_run *run, struct ifc_op *op, struct iface *ifp)
{
	int err;

	/* Linux has directories of these names beside its interfaces'. */
	if (strcmp(op->str, "all") == 0 || strcmp(op->str, "default") == 0)
		err = net_error(run->net, -EINVAL,
		    "\"%s\" stands for every interface on Linux", op->str);
	else
		err = net_iface_rename(ifp, op->str);
	if (err == -EINVAL && run->net->message[0] == '\0')
		ifc_detail(run,
		    "a name has 1 to %d letters, digits or -_. and is not a "
		    "number",
		    IFACE_NAME_MAX - 1);
	if (err != 0)
		return refused(run, err, "ioctl SIOCSIFNAME (set name)");
	(void)str_copy(run->print_name, sizeof(run->print_name), ifp->name);
	return 0;
}

/* Addresses. */

/* The address @want of @family, or the first of the family if @want is "", as
 * "ADDR/LEN" into @text. */
static bool
addr_find(const struct iface *ifp, int family, const char *want, char *text,
    size_t size)
{
	json_t *list = ifc_addresses(ifp), *a;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, a)
	{
		const char *f = json_string_value(json_object_get(a, "family"));
		const char *s =
		    json_string_value(json_object_get(a, "address"));

		if (f == NULL || s == NULL ||
		    (strcmp(f, "inet6") == 0) != (family == AF_INET6) ||
		    (want[0] != '\0' && strcmp(s, want) != 0))
			continue;
		snprintf(text, size, "%s/%d", s,
		    (int)json_integer_value(json_object_get(a, "prefixlen")));
		found = true;
		break;
	}
	json_decref(list);
	return found;
}

static int
addr_delete(
    struct ifconfig_run *run, struct iface *ifp, const struct ifc_addr *a)
{
	const struct net_system *sys = &run->net->system;
	char text[INET6_ADDRSTRLEN + 8];
	int err = -EADDRNOTAVAIL;

	if (addr_find(ifp, a->family, a->addr, text, sizeof(text)))
		err = sys->addr_del(sys->arg, ifp, text);
	return err == 0 ? 0 : refused(run, err, "ioctl (SIOCDIFADDR)");
}

static int
apply_addr(struct ifconfig_run *run, struct ifc_op *op, struct iface *ifp)
{
	const struct net_system *sys = &run->net->system;
	const struct ifc_addr *a = &op->addr;
	char text[INET6_ADDRSTRLEN + 8];
	int err;

	if (sys->addr_add == NULL || sys->addr_del == NULL ||
	    ifp->host == NULL) {
		ifc_detail(run,
		    sys->addr_add == NULL
		        ? "%s: this daemon has no host to give addresses to"
		        : "%s has no host side, which addresses belong to",
		    ifp->name);
		return refused(run, -EOPNOTSUPP,
		    a->mode == IFC_ADDR_DELETE ? "ioctl (SIOCDIFADDR)"
		                               : "ioctl (SIOCAIFADDR)");
	}
	if (a->mode == IFC_ADDR_DELETE)
		return addr_delete(run, ifp, a);
	err = ifp->stack != NULL && ifp->stack->addr_check != NULL
	          ? ifp->stack->addr_check(ifp->stack, ifp)
	          : 0;
	if (err != 0)
		return refused(run, err, "ioctl (SIOCAIFADDR)");
	/* An address marks the interface up, as every BSD driver does. */
	if ((ifp->flags & IFACE_UP) == 0) {
		err = iface_set_flags(ifp, IFACE_UP, 0);
		if (err != 0)
			return refused(run, err, "ioctl (SIOCAIFADDR)");
	}
	/* Without alias, it takes the place of the first one (IPv4 only). */
	if (a->mode == IFC_ADDR_SET && a->family == AF_INET &&
	    addr_find(ifp, AF_INET, "", text, sizeof(text))) {
		err = sys->addr_del(sys->arg, ifp, text);
		if (err != 0 && err != -EADDRNOTAVAIL)
			return refused(run, err, "ioctl (SIOCDIFADDR)");
	}
	snprintf(text, sizeof(text), "%s/%u", a->addr, a->prefixlen);
	err = sys->addr_add(sys->arg, ifp, text,
	    a->dst[0] != '\0' ? a->dst : NULL,
	    a->broadcast[0] != '\0' ? a->broadcast : NULL);
	return err == 0 ? 0 : refused(run, err, "ioctl (SIOCAIFADDR)");
}

/* Rows. */

/* What BSD prints before the reason: words.c says when the argument follows. */
static void
row_what(const struct ifc_op *op, int err, char *what, size_t size)
{
	const struct iface_keyword *row = op->row;
	const char *name = row->bsd_name != NULL ? row->bsd_name : row->name;
	const union keyword_value *v;
	char mac[ETH_ADDR_STRLEN];

	if (err == -ENOENT && row->bsd_absent != NULL)
		name = row->bsd_absent;
	snprintf(what, size, "%s", name);
	if (strchr(name, ' ') != NULL || row->bsd_arg < 0)
		return;
	v = &op->v[row->bsd_arg];
	switch (row->args[row->bsd_arg].kind) {
	case KEYWORD_ARG_IFNAME:
	case KEYWORD_ARG_WORD:
	case KEYWORD_ARG_VLANS:
	case KEYWORD_ARG_CHOICE:
		snprintf(what, size, "%s %.128s", name, v->str);
		break;
	case KEYWORD_ARG_NUMBER:
	case KEYWORD_ARG_VLAN:
		snprintf(
		    what, size, "%s %llu", name, (unsigned long long)v->num);
		break;
	case KEYWORD_ARG_MAC:
		snprintf(what, size, "%s %s", name, ether_format(v->mac, mac));
		break;
	case KEYWORD_ARG_END:
		break;
	}
}

static int
apply_row(struct ifconfig_run *run, struct ifc_op *op, struct iface *ifp)
{
	const struct iface_keyword *row = op->row;
	bool at_create = run->created && row->apply_create != NULL;
	char what[192];
	int err;

	err =
	    at_create ? row->apply_create(ifp, op->v) : row->apply(ifp, op->v);
	if (err >= 0)
		return 0;
	row_what(op, err, what, sizeof(what));
	(void)refused(run, err, what);
	if (at_create)
		undo_create(run);
	return err;
}

static int
apply_show(struct ifconfig_run *run, struct ifc_op *op, struct iface *ifp)
{
	/* The words for it differ (addr, saddr), the part is one. */
	bool addresses = strcmp(op->row->name, "addr") == 0 ||
	                 strcmp(op->row->name, "saddr") == 0;
	struct vnet *vnet = ifc_vnet(run);
	char name[IFACE_NAME_MAX + 1 + NET_VNET_NAME_MAX];
	struct info_json j;
	json_t *part;

	/* How whoever asks for more calls it. */
	snprintf(name, sizeof(name), "%s", ifp->name);
	if (net_iface_find(run->net, vnet, name) != ifp)
		snprintf(
		    name, sizeof(name), "%s@%s", ifp->name, ifp->vnet->name);
	part = json_pack("{s:s,s:s}", "part",
	    addresses ? "addresses" : op->row->name, "iface", name);
	info_json_init(&j, part);
	op->row->show(ifp, &j.info);
	return ifc_put(run, part);
}

static int
apply_lladdr(struct ifconfig_run *run, struct ifc_op *op, struct iface *ifp)
{
	int err = iface_set_lladdr(ifp, op->v[0].mac);

	if (err == -EINVAL && run->net->message[0] == '\0' &&
	    ether_is_multicast(op->v[0].mac))
		ifc_detail(run, "a group address cannot be an interface's");
	else if (err == -EINVAL && run->net->message[0] == '\0')
		ifc_detail(run, "an address of zeros cannot be an interface's");
	return err == 0 ? 0 : refused(run, err, "ioctl (SIOCAIFADDR)");
}

static int
apply_impair(struct ifconfig_run *run, struct ifc_op *op, struct iface *ifp)
{
	struct impair_change change;
	char why[IMPAIR_WHY_MAX];
	int err;

	err = impair_parse((const char *const *)run->words + op->word + 1,
	    op->words - 1, &change, why, sizeof(why));
	if (err > 0)
		err = iface_impair(ifp, &change);
	return err == 0 ? 0 : refused(run, err, run->words[op->word]);
}

static int
apply_noimpair(struct ifc_op *op, struct iface *ifp)
{
	bool both = op->str == NULL;

	iface_impair_off(ifp, both || strcmp(op->str, "in") == 0,
	    both || strcmp(op->str, "out") == 0);
	return 0;
}

static int
dhcp_late(struct ifconfig_run *run, const struct iface *ifp)
{
	char text[128];

	snprintf(text, sizeof(text), "%s: no lease so far; it goes on asking",
	    ifp->name);
	return ifc_put(
	    run, json_pack("{s:s,s:s}", "part", "notice", "text", text));
}

static int
apply_dhcp(struct ifconfig_run *run, struct ifc_op *op, struct iface *ifp)
{
	const struct net_system *sys = &run->net->system;
	uint32_t mode = (uint32_t)op->v[0].num;
	int err = iface_set_dhcp(ifp, mode);

	if (err != 0)
		return refused(run, err, run->words[op->word]);
	if (mode != IFACE_DHCP_SYNC || run->request.no_wait ||
	    sys->dhcp_wait == NULL)
		return 0;
	err = sys->dhcp_wait(sys->arg, ifp, &run->wait);
	return err == -ETIMEDOUT ? dhcp_late(run, ifp) : err;
}

int
ifc_applied(struct ifconfig_run *run, struct ifc_op *op, int err)
{
	switch (op->kind) {
	case IFC_CREATE:
	case IFC_TWIN:
		return created(run, op, err);
	case IFC_VNET:
	case IFC_RVNET:
		return vnet_moved(run, op, err);
	case IFC_HOST:
	case IFC_NOHOST:
		return host_changed(run, op, err);
	case IFC_DHCP:
		if (err == -ETIMEDOUT && ifc_iface(run) != NULL)
			return dhcp_late(run, ifc_iface(run));
		return 0;
	case IFC_DESTROY: /* it is gone, whatever the system says */
	case IFC_ADOPT:
	case IFC_ROW:
	case IFC_SHOW:
	case IFC_NAME:
	case IFC_LLADDR:
	case IFC_IMPAIR:
	case IFC_NOIMPAIR:
	case IFC_ADDR:
		return 0;
	}
	return 0;
}

/* What who runs this must be allowed with the interface. */
static enum net_access
access_wanted(const struct ifc_op *op)
{
	if (op->kind == IFC_SHOW)
		return NET_ACCESS_USE;
	/* The daemon runs a program for it. */
	if (op->kind == IFC_DHCP)
		return NET_ACCESS_ADMIN;
	if (op->kind != IFC_ROW)
		return NET_ACCESS_OWN;
	switch (op->row->who) {
	case KEYWORD_OWNER:
		break;
	case KEYWORD_GROUP:
		return NET_ACCESS_USE;
	case KEYWORD_ADMIN:
		return NET_ACCESS_ADMIN;
	}
	return NET_ACCESS_OWN;
}

/* Refuses what is not his who runs this. */
static int
permitted(
    struct ifconfig_run *run, const struct ifc_op *op, const struct iface *ifp)
{
	int err = net_need(ifp, access_wanted(op));
	const struct iface *other;
	char what[192];

	if (err == 0 && op->kind == IFC_ROW && op->row->takes &&
	    !net_is_admin(run->net)) {
		other = net_iface_find(run->net, ifp->vnet, op->v[0].str);
		/* Who owns a bridge may put out what is on it. */
		if (other != NULL &&
		    !(other->stack != NULL && other->stack->master == ifp &&
		        net_access(ifp) >= NET_ACCESS_OWN))
			err = net_need(other, NET_ACCESS_OWN);
	}
	if (err == 0)
		return 0;
	snprintf(what, sizeof(what), "%s",
	    op->words != 0 ? run->words[op->word] : "address");
	if (op->kind == IFC_ROW)
		row_what(op, -EPERM, what, sizeof(what));
	return refused(run, err, what);
}

int
ifc_apply(struct ifconfig_run *run, struct ifc_op *op)
{
	struct iface *ifp;
	int err;

	run->net->message[0] = '\0';
	if (op->kind == IFC_CREATE)
		return apply_create(run, op);
	if (op->kind == IFC_ADOPT)
		return apply_adopt(run);
	ifp = ifc_iface(run);
	if (ifp == NULL) /* somebody destroyed it while this run waited */
		return ifc_fail(
		    run, -ENXIO, "interface %s does not exist", run->target);
	err = permitted(run, op, ifp);
	if (err != 0)
		return err;
	switch (op->kind) {
	case IFC_CREATE:
	case IFC_ADOPT:
		break;
	case IFC_TWIN:
		return apply_twin(run, op, ifp);
	case IFC_DESTROY:
		return apply_destroy(run, ifp);
	case IFC_VNET:
	case IFC_RVNET:
		return apply_vnet(run, op, ifp);
	case IFC_NAME:
		return apply_name(run, op, ifp);
	case IFC_HOST:
	case IFC_NOHOST:
		return apply_host(run, op, ifp);
	case IFC_LLADDR:
		return apply_lladdr(run, op, ifp);
	case IFC_IMPAIR:
		return apply_impair(run, op, ifp);
	case IFC_NOIMPAIR:
		return apply_noimpair(op, ifp);
	case IFC_DHCP:
		return apply_dhcp(run, op, ifp);
	case IFC_ADDR:
		return apply_addr(run, op, ifp);
	case IFC_ROW:
		return apply_row(run, op, ifp);
	case IFC_SHOW:
		return apply_show(run, op, ifp);
	}
	return 0;
}
