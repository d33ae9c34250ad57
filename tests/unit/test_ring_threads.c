/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring between two threads that sleep when there is nothing to do: everything
 * arrives once, in order, and nobody sleeps for ever. Under the thread checker
 * (tools/check-all threads) also: no access to the page that is not ordered.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/prng.h"
#include "ring/netslot.h"

#define FRAMES     100000u
#define PAGE_BYTES 64u /* of data beside each slot */

static struct {
	_Alignas(4096) uint8_t tx[COAX_RING_PAGE];
	_Alignas(4096) uint8_t rx[COAX_RING_PAGE];
	uint8_t data[COAX_NETIF_TX_SLOTS][PAGE_BYTES];
	sem_t back, front;
	uint32_t sleeps_back, sleeps_front; /* each its thread's */
} r;

/* Sleeps until it is told; a ring that forgets to tell fails the test. */
static void
sleep_on(sem_t *sem)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	while (sem_timedwait(sem, &until) != 0)
		assert_int_equal(errno, EINTR);
}

/* What the sender puts beside request @number. */
static void
fill(uint8_t *to, uint32_t number)
{
	uint8_t bytes[PAGE_BYTES];

	for (uint32_t i = 0; i < PAGE_BYTES; i++)
		bytes[i] = (uint8_t)(number * 7 + i);
	shm_copy_to(to, bytes, sizeof(bytes));
}

static void
check(const uint8_t *from, uint32_t number)
{
	uint8_t bytes[PAGE_BYTES];

	shm_copy_from(bytes, from, sizeof(bytes));
	for (uint32_t i = 0; i < PAGE_BYTES; i++)
		assert_int_equal(bytes[i], (uint8_t)(number * 7 + i));
}

/* Takes requests of the transmit ring and answers them, in batches of any
 * size; sleeps when there are none. */
static void *
back_end(void *arg)
{
	struct prng g = prng_init(1);
	struct netring_back tx;
	uint32_t number = 0;

	(void)arg;
	assert_int_equal(netring_back_attach(&tx, r.tx, COAX_NETIF_TX_SLOTS,
	                     COAX_NETIF_TX_SLOT_SIZE),
	    0);
	while (number < FRAMES) {
		int n = netring_back_poll(&tx);
		uint32_t batch = 1 + (uint32_t)prng_below(&g, 64);

		assert_true(n >= 0);
		if (n == 0) {
			if (netring_back_arm(&tx, 1))
				continue;
			r.sleeps_back++;
			sleep_on(&r.back);
			continue;
		}
		for (uint32_t i = 0; i < batch && i < (uint32_t)n; i++) {
			struct coax_netif_tx_request req;

			netslot_get_tx_request(&tx, tx.req_cons++, &req);
			assert_int_equal(req.gref, number);
			assert_int_equal(req.id, number % COAX_NETIF_TX_SLOTS);
			check(r.data[req.id], number++);
			netslot_put_tx_response(&tx, req.id, 0);
		}
		if (netring_back_publish(&tx))
			assert_int_equal(sem_post(&r.front), 0);
	}
	return NULL;
}

static void
test_nothing_is_lost_and_nobody_sleeps_for_ever(void **state)
{
	struct netring_front tx;
	struct prng g = prng_init(2);
	uint32_t sent = 0, answered = 0;
	pthread_t thread;

	(void)state;
	memset(&r, 0, sizeof(r));
	assert_int_equal(sem_init(&r.back, 0, 0), 0);
	assert_int_equal(sem_init(&r.front, 0, 0), 0);
	netring_front_init(
	    &tx, r.tx, COAX_NETIF_TX_SLOTS, COAX_NETIF_TX_SLOT_SIZE);
	assert_int_equal(pthread_create(&thread, NULL, back_end, NULL), 0);
	while (answered < FRAMES) {
		uint32_t batch = 1 + (uint32_t)prng_below(&g, 100);
		int n = netring_front_poll(&tx);

		assert_true(n >= 0);
		for (int i = 0; i < n; i++) {
			struct coax_netif_tx_response rsp =
			    netslot_get_tx_response(&tx, tx.rsp_cons++);

			assert_int_equal(
			    rsp.id, answered++ % COAX_NETIF_TX_SLOTS);
			assert_int_equal(rsp.status, 0);
		}
		while (batch-- > 0 && sent < FRAMES &&
		       netring_front_room(&tx) > 0) {
			struct coax_netif_tx_request req = {
				.gref = sent,
				.id = (uint16_t)(sent % COAX_NETIF_TX_SLOTS),
			};

			fill(r.data[req.id], sent++);
			netslot_put_tx_request(&tx, &req);
		}
		if (netring_front_publish(&tx))
			assert_int_equal(sem_post(&r.back), 0);
		/* Sleep when there is no room, or all is sent. */
		if (n != 0 || (netring_front_room(&tx) != 0 && sent < FRAMES))
			continue;
		if (answered < FRAMES && !netring_front_arm(&tx, 1)) {
			r.sleeps_front++;
			sleep_on(&r.front);
		}
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	print_message("# slept: back end %u, front end %u times\n",
	    r.sleeps_back, r.sleeps_front);
	sem_destroy(&r.back);
	sem_destroy(&r.front);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_nothing_is_lost_and_nobody_sleeps_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
