// SPDX-License-Identifier: Apache-2.0
// roles: who may do what to which resources; read by policy.h. Only recorded: nothing is made in a cloud.
#ifndef ISOBAR_SECURITY_ROLE_KIND_H
#define ISOBAR_SECURITY_ROLE_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct role_when { // the rule holds only then
	struct str environment; // "prod"; empty: in any
};
struct role_rule {
	struct field_list actions;   // struct str: "model.predict", "training.*"
	struct field_list resources; // struct str: "endpoint/classify", "*"
	struct role_when when;
};
struct role {
	struct field_list members;     // struct field_ref: api-key/NAME, user/NAME, group/NAME
	struct field_list allow, deny; // struct role_rule
};
extern const struct kind role_kind;
extern const struct resource_handler role_handler;

#endif
