// SPDX-License-Identifier: Apache-2.0
// The shipped rows of Amazon Web Services: EC2, Linux, shared tenancy, USD an hour. Rows of the index name its lowest spot price of a zone.
// (Blogs of 2026 say 98.32 and 80.62 for a p5.48xlarge: the first is from before the cut of June 2025.)
#include "cloud/catalog_impl.h"

#define LOW "aws.amazon.com/ec2/pricing/on-demand", CATALOG_WRITTEN, "low" // not looked up again
#define INDEX CATALOG_INDEX, "2026-01", "medium"
#define NONE CATALOG_NO_SPOT

// name, vCPU, GiB, accelerator, how many
#define M5_LARGE "m5.large", 2, 8, "", 0
#define M5_XLARGE "m5.xlarge", 4, 16, "", 0
#define M5_4XLARGE "m5.4xlarge", 16, 64, "", 0
#define C5_2XLARGE "c5.2xlarge", 8, 16, "", 0
#define R5_2XLARGE "r5.2xlarge", 8, 64, "", 0
#define G4DN_XLARGE "g4dn.xlarge", 4, 16, "T4", 1
#define G5_XLARGE "g5.xlarge", 4, 16, "A10G", 1
#define G6_4XLARGE "g6.4xlarge", 16, 64, "L4", 1
#define G6_XLARGE "g6.xlarge", 4, 16, "L4", 1
#define P4D "p4d.24xlarge", 96, 1152, "A100-40GB", 8
#define P4DE "p4de.24xlarge", 96, 1152, "A100-80GB", 8
#define P5_4XLARGE "p5.4xlarge", 16, 256, "H100", 1
#define P5_48XLARGE "p5.48xlarge", 192, 2048, "H100", 8
#define P5EN "p5en.48xlarge", 192, 2048, "H200", 8

static const struct catalog_row rows[] = {
	{"aws", "us-east-1", M5_LARGE, 0.096, NONE, LOW},
	{"aws", "us-west-2", M5_LARGE, 0.096, NONE, LOW},
	{"aws", "eu-west-1", M5_LARGE, 0.107, NONE, LOW},
	{"aws", "eu-central-1", M5_LARGE, 0.115, NONE, LOW},
	{"aws", "eu-west-2", M5_LARGE, 0.111, NONE, LOW},
	{"aws", "ap-northeast-1", M5_LARGE, 0.124, NONE, LOW},
	{"aws", "ap-southeast-1", M5_LARGE, 0.12, NONE, LOW},
	{"aws", "ap-southeast-2", M5_LARGE, 0.12, NONE, LOW},
	{"aws", "ap-south-1", M5_LARGE, 0.101, NONE, LOW},
	{"aws", "sa-east-1", M5_LARGE, 0.153, NONE, LOW},
	{"aws", "us-east-1", M5_XLARGE, 0.192, NONE, LOW},
	{"aws", "us-west-2", M5_XLARGE, 0.192, NONE, LOW},
	{"aws", "eu-west-1", M5_XLARGE, 0.214, NONE, LOW},
	{"aws", "eu-central-1", M5_XLARGE, 0.23, NONE, LOW},
	{"aws", "eu-west-2", M5_XLARGE, 0.222, NONE, LOW},
	{"aws", "ap-northeast-1", M5_XLARGE, 0.248, NONE, LOW},
	{"aws", "ap-southeast-1", M5_XLARGE, 0.24, NONE, LOW},
	{"aws", "ap-southeast-2", M5_XLARGE, 0.24, NONE, LOW},
	{"aws", "ap-south-1", M5_XLARGE, 0.202, NONE, LOW},
	{"aws", "sa-east-1", M5_XLARGE, 0.306, NONE, LOW},
	{"aws", "us-east-1", M5_4XLARGE, 0.768, NONE, LOW},
	{"aws", "us-west-2", M5_4XLARGE, 0.768, NONE, LOW},
	{"aws", "eu-west-1", M5_4XLARGE, 0.856, NONE, LOW},
	{"aws", "eu-central-1", M5_4XLARGE, 0.92, NONE, LOW},
	{"aws", "eu-west-2", M5_4XLARGE, 0.888, NONE, LOW},
	{"aws", "ap-northeast-1", M5_4XLARGE, 0.992, NONE, LOW},
	{"aws", "ap-southeast-1", M5_4XLARGE, 0.96, NONE, LOW},
	{"aws", "ap-southeast-2", M5_4XLARGE, 0.96, NONE, LOW},
	{"aws", "ap-south-1", M5_4XLARGE, 0.808, NONE, LOW},
	{"aws", "sa-east-1", M5_4XLARGE, 1.224, NONE, LOW},
	{"aws", "us-east-1", C5_2XLARGE, 0.34, NONE, LOW},
	{"aws", "us-west-2", C5_2XLARGE, 0.34, NONE, LOW},
	{"aws", "eu-west-1", C5_2XLARGE, 0.384, NONE, LOW},
	{"aws", "eu-central-1", C5_2XLARGE, 0.388, NONE, LOW},
	{"aws", "eu-west-2", C5_2XLARGE, 0.404, NONE, LOW},
	{"aws", "ap-northeast-1", C5_2XLARGE, 0.428, NONE, LOW},
	{"aws", "ap-southeast-1", C5_2XLARGE, 0.392, NONE, LOW},
	{"aws", "ap-southeast-2", C5_2XLARGE, 0.444, NONE, LOW},
	{"aws", "ap-south-1", C5_2XLARGE, 0.34, NONE, LOW},
	{"aws", "sa-east-1", C5_2XLARGE, 0.524, NONE, LOW},
	{"aws", "us-east-1", R5_2XLARGE, 0.504, NONE, LOW},
	{"aws", "us-west-2", R5_2XLARGE, 0.504, NONE, LOW},
	{"aws", "eu-west-1", R5_2XLARGE, 0.564, NONE, LOW},
	{"aws", "eu-central-1", R5_2XLARGE, 0.608, NONE, LOW},
	{"aws", "eu-west-2", R5_2XLARGE, 0.592, NONE, LOW},
	{"aws", "ap-northeast-1", R5_2XLARGE, 0.608, NONE, LOW},
	{"aws", "ap-southeast-1", R5_2XLARGE, 0.608, NONE, LOW},
	{"aws", "ap-southeast-2", R5_2XLARGE, 0.604, NONE, LOW},
	{"aws", "ap-south-1", R5_2XLARGE, 0.52, NONE, LOW},
	{"aws", "sa-east-1", R5_2XLARGE, 0.804, NONE, LOW},
	{"aws", "us-east-1", G4DN_XLARGE, 0.526, NONE, LOW},
	{"aws", "us-west-2", G4DN_XLARGE, 0.526, 0.24, INDEX},
	{"aws", "eu-west-1", G4DN_XLARGE, 0.587, NONE, LOW},
	{"aws", "eu-central-1", G4DN_XLARGE, 0.658, NONE, LOW},
	{"aws", "eu-west-2", G4DN_XLARGE, 0.615, NONE, LOW},
	{"aws", "ap-northeast-1", G4DN_XLARGE, 0.71, NONE, LOW},
	{"aws", "ap-southeast-1", G4DN_XLARGE, 0.736, NONE, LOW},
	{"aws", "ap-southeast-2", G4DN_XLARGE, 0.684, NONE, LOW},
	{"aws", "ap-south-1", G4DN_XLARGE, 0.579, NONE, LOW},
	{"aws", "sa-east-1", G4DN_XLARGE, 0.894, NONE, LOW},
	{"aws", "us-east-1", G5_XLARGE, 1.006, NONE, "factualminds.com, EC2 on-demand pricing", "2026-06-17", "medium"},
	{"aws", "us-west-2", G5_XLARGE, 1.006, NONE, LOW},
	{"aws", "eu-west-1", G5_XLARGE, 1.123, NONE, LOW},
	{"aws", "eu-central-1", G5_XLARGE, 1.258, NONE, LOW},
	{"aws", "eu-west-2", G5_XLARGE, 1.308, NONE, LOW},
	{"aws", "ap-northeast-1", G5_XLARGE, 1.459, NONE, LOW},
	{"aws", "ap-southeast-2", G5_XLARGE, 1.308, NONE, LOW},
	{"aws", "ap-south-1", G5_XLARGE, 1.208, NONE, LOW},
	{"aws", "us-east-1", G6_4XLARGE, 1.323, 0.66, INDEX},
	{"aws", "us-west-2", G6_4XLARGE, 1.323, NONE, LOW},
	{"aws", "us-east-1", G6_XLARGE, 0.8048, NONE, LOW},
	{"aws", "us-west-2", G6_XLARGE, 0.8048, NONE, LOW},
	{"aws", "eu-central-1", G6_XLARGE, 1.0062, NONE, LOW},
	{"aws", "us-east-1", P4D, 21.96, 2.47, INDEX},
	{"aws", "us-west-2", P4D, 21.96, NONE, LOW},
	{"aws", "us-east-1", P4DE, 27.45, 8.65, INDEX},
	{"aws", "us-west-2", P4DE, 27.45, NONE, LOW},
	{"aws", "us-east-1", P5_4XLARGE, 6.88, NONE, INDEX},
	{"aws", "us-west-2", P5_48XLARGE, 55.04, 12.69, INDEX},
	{"aws", "us-east-1", P5_48XLARGE, 55.04, NONE, LOW},
	{"aws", "us-east-1", P5EN, 63.3, 16.6, INDEX},
	{"aws", "us-west-2", P5EN, 63.3, NONE, LOW},
};
const struct catalog catalog_aws = {rows, COUNT_OF(rows)};
