// SPDX-License-Identifier: Apache-2.0
// A relay between a client and the Unix socket of a PostgreSQL server that breaks one connection at a chosen place.
#ifndef ISOBAR_TESTS_STATE_RELAY_H
#define ISOBAR_TESTS_STATE_RELAY_H

#include <pthread.h>
#include <stdatomic.h>

enum relay_cut {
	RELAY_WHOLE,
	RELAY_BEFORE_COMMIT, // COMMIT never reaches the server
	RELAY_AFTER_COMMIT,  // the server commits, and its answer never reaches the client
};

struct relay {
	char target[128]; // path of the server's socket
	int listener, port;
	atomic_int cut; // enum relay_cut: at the next COMMIT, once
	atomic_int cuts;
	atomic_bool stop;
	pthread_t thread;
};

int relay_start(struct relay *r); // 0, or -1; target and cut are set by the caller
void relay_stop(struct relay *r);

#endif
