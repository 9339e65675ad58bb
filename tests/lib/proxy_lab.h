// SPDX-License-Identifier: Apache-2.0
// A proxy and a server behind it, for tests of clients: the server speaks TLS under the name target.example with a
// certificate of a private CA and answers "hello" to everything; the proxy listens on a free port of loopback, notes
// the head of each CONNECT, and relays to the server, whatever target was named, or refuses with a status. Two threads.
#ifndef ISOBAR_TESTS_PROXY_LAB_H
#define ISOBAR_TESTS_PROXY_LAB_H

#include "base/str.h"

struct proxy_lab;
// refuse: status with which tunnels are refused; 0: they are opened. NULL when there is no socket, thread or folder.
struct proxy_lab *proxy_lab_start(int refuse);
const char *proxy_lab_url(const struct proxy_lab *lab); // "http://user:pa%20ss@127.0.0.1:41234"
const char *proxy_lab_ca(const struct proxy_lab *lab);  // PEM file of the private CA
struct str proxy_lab_asked(struct proxy_lab *lab); // head of the last CONNECT, after it was answered; "": none came
int proxy_lab_count(struct proxy_lab *lab);        // CONNECTs so far
void proxy_lab_stop(struct proxy_lab *lab);

#endif
