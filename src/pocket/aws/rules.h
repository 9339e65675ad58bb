// SPDX-License-Identifier: Apache-2.0
// What a service of AWS takes, as tables: each member that has a bound, checked all together, and refused in AWS' own
// words ("2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null;
// ..."). Pure but for the request whose error is set. Source: the constraints in the services' published models.
#ifndef ISOBAR_POCKET_AWS_RULES_H
#define ISOBAR_POCKET_AWS_RULES_H

#include "pocket/aws/api.h"

enum aws_type { AWS_TEXT, AWS_WHOLE, AWS_NUMBER, AWS_FLAG, AWS_LIST, AWS_OBJECT };

struct aws_rule {
	const char *path; // "AlgorithmSpecification.TrainingImage", "Tags[].Key": of a member of what is there
	enum aws_type type;
	bool required;       // where the object that holds it is there
	int64_t least, most; // of a text the length, of a list the members; both 0: unbounded
	const char *pattern; // of the whole text, a POSIX extended expression; NULL: any
	const char *values;  // "File Pipe FastFile"; NULL: any
};
// ValidationException, or SerializationException for a member of another type.
MUST_CHECK int aws_rules_check(
	struct front_request *r, const json_t *in, const struct aws_rule *rules, size_t count);

#define AWS_NAME_PATTERN "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
#define AWS_ROLE_PATTERN "arn:aws[a-z-]*:iam::[0-9]{12}:role/?[a-zA-Z_0-9+=,.@/-]+"
#define AWS_S3_PATTERN "(https|s3)://([^/]+)/?(.*)"

#endif
