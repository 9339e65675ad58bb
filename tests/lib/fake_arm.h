// SPDX-License-Identifier: Apache-2.0
// Azure Resource Manager for unit tests of the driver: a transport that keeps what is PUT by its path, lists what lies below
// one in pages of two, and lets the test say what is answered next. Nothing of Azure is checked here: tests look at what
// was sent. Single-threaded. Owned: fake_arm_free.
#ifndef ISOBAR_TESTS_FAKE_ARM_H
#define ISOBAR_TESTS_FAKE_ARM_H

#include "cloud/azure/services.h"

struct fake_arm {
	struct azure_services *services;
	struct credential_source *credentials;
	json_t *resources; // by path: what was PUT, with "id" and "name"
	json_t *log;       // "PUT /subscriptions/..." of each request, without the query
	json_t *bodies;    // of the same requests; null where there was none
	// Called when a request has been kept: the test may change the answer (status, body) and what is kept.
	void (*answer)(struct fake_arm *f, const char *method, const char *path, int *status, json_t **body);
	void *ctx;
	int lose; // the n-th request from now acts, and its answer is lost; 0: none
	struct str base;
	const char *operation; // of the last answer: adds Azure-AsyncOperation with it; NULL: none
};
// config's texts are borrowed. Fails the test when it cannot.
void fake_arm_init(struct fake_arm *f, const struct cloud_config *config, const struct cloud *self);
void fake_arm_free(struct fake_arm *f);
json_t *fake_arm_find(const struct fake_arm *f, const char *end); // the resource whose path ends so; NULL
size_t fake_arm_count(const struct fake_arm *f, const char *method, const char *part); // requests whose path has part

#endif
