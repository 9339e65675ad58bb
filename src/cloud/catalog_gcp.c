// SPDX-License-Identifier: Apache-2.0
// The shipped rows of Google Cloud: Compute Engine, host and accelerator together, USD an hour. "+T4" is a machine with one attached.
#include "cloud/catalog_impl.h"

#define LOW "cloud.google.com/compute/vm-instance-pricing", CATALOG_WRITTEN, "low" // not looked up again
#define INDEX CATALOG_INDEX, "2026-01", "medium"
#define NONE CATALOG_NO_SPOT

// name, vCPU, GiB, accelerator, how many
#define E2_2 "e2-standard-2", 2, 8, "", 0
#define E2_4 "e2-standard-4", 4, 16, "", 0
#define E2_16 "e2-standard-16", 16, 64, "", 0
#define N2_4 "n2-standard-4", 4, 16, "", 0
#define N2_16 "n2-standard-16", 16, 64, "", 0
#define N1_4 "n1-standard-4", 4, 15, "", 0
#define N1_4_T4 "n1-standard-4+T4", 4, 15, "T4", 1
#define G2_4 "g2-standard-4", 4, 16, "L4", 1
#define A2_1 "a2-highgpu-1g", 12, 85, "A100-40GB", 1
#define A2_8 "a2-highgpu-8g", 96, 680, "A100-40GB", 8
#define A2_U1 "a2-ultragpu-1g", 12, 170, "A100-80GB", 1
#define A3_8 "a3-highgpu-8g", 208, 1872, "H100", 8
#define A3_U8 "a3-ultragpu-8g", 224, 2952, "H200", 8

static const struct catalog_row rows[] = {
	{"gcp", "us-central1", E2_2, 0.067, NONE, LOW},
	{"gcp", "us-east4", E2_2, 0.0755, NONE, LOW},
	{"gcp", "us-west1", E2_2, 0.067, NONE, LOW},
	{"gcp", "europe-west1", E2_2, 0.0737, NONE, LOW},
	{"gcp", "europe-west2", E2_2, 0.0863, NONE, LOW},
	{"gcp", "europe-west4", E2_2, 0.0738, NONE, LOW},
	{"gcp", "asia-northeast1", E2_2, 0.086, NONE, LOW},
	{"gcp", "asia-southeast1", E2_2, 0.0827, NONE, LOW},
	{"gcp", "australia-southeast1", E2_2, 0.0951, NONE, LOW},
	{"gcp", "us-central1", E2_4, 0.134012, NONE, LOW},
	{"gcp", "us-east4", E2_4, 0.150927, NONE, LOW},
	{"gcp", "us-west1", E2_4, 0.134012, NONE, LOW},
	{"gcp", "europe-west1", E2_4, 0.147404, NONE, LOW},
	{"gcp", "europe-west2", E2_4, 0.172654, NONE, LOW},
	{"gcp", "europe-west4", E2_4, 0.147548, NONE, LOW},
	{"gcp", "asia-northeast1", E2_4, 0.171936, NONE, LOW},
	{"gcp", "asia-southeast1", E2_4, 0.165319, NONE, LOW},
	{"gcp", "australia-southeast1", E2_4, 0.190157, NONE, LOW},
	{"gcp", "us-central1", E2_16, 0.536, NONE, LOW},
	{"gcp", "us-east4", E2_16, 0.6037, NONE, LOW},
	{"gcp", "us-west1", E2_16, 0.536, NONE, LOW},
	{"gcp", "europe-west1", E2_16, 0.5896, NONE, LOW},
	{"gcp", "europe-west2", E2_16, 0.6906, NONE, LOW},
	{"gcp", "europe-west4", E2_16, 0.5902, NONE, LOW},
	{"gcp", "asia-northeast1", E2_16, 0.6877, NONE, LOW},
	{"gcp", "asia-southeast1", E2_16, 0.6613, NONE, LOW},
	{"gcp", "australia-southeast1", E2_16, 0.7606, NONE, LOW},
	{"gcp", "us-central1", N2_4, 0.194236, NONE, LOW},
	{"gcp", "us-east4", N2_4, 0.218751, NONE, LOW},
	{"gcp", "us-west1", N2_4, 0.194236, NONE, LOW},
	{"gcp", "europe-west1", N2_4, 0.213664, NONE, LOW},
	{"gcp", "europe-west2", N2_4, 0.25025, NONE, LOW},
	{"gcp", "europe-west4", N2_4, 0.213886, NONE, LOW},
	{"gcp", "asia-northeast1", N2_4, 0.249624, NONE, LOW},
	{"gcp", "asia-southeast1", N2_4, 0.239616, NONE, LOW},
	{"gcp", "australia-southeast1", N2_4, 0.275614, NONE, LOW},
	{"gcp", "us-central1", N2_16, 0.7769, NONE, LOW},
	{"gcp", "us-east4", N2_16, 0.875, NONE, LOW},
	{"gcp", "us-west1", N2_16, 0.7769, NONE, LOW},
	{"gcp", "europe-west1", N2_16, 0.8547, NONE, LOW},
	{"gcp", "europe-west2", N2_16, 1.001, NONE, LOW},
	{"gcp", "europe-west4", N2_16, 0.8555, NONE, LOW},
	{"gcp", "asia-northeast1", N2_16, 0.9985, NONE, LOW},
	{"gcp", "asia-southeast1", N2_16, 0.9585, NONE, LOW},
	{"gcp", "australia-southeast1", N2_16, 1.1025, NONE, LOW},
	{"gcp", "us-central1", N1_4, 0.19, NONE, LOW},
	{"gcp", "us-east4", N1_4, 0.214, NONE, LOW},
	{"gcp", "us-west1", N1_4, 0.19, NONE, LOW},
	{"gcp", "europe-west1", N1_4, 0.2092, NONE, LOW},
	{"gcp", "europe-west2", N1_4, 0.2448, NONE, LOW},
	{"gcp", "europe-west4", N1_4, 0.2092, NONE, LOW},
	{"gcp", "asia-northeast1", N1_4, 0.2442, NONE, LOW},
	{"gcp", "asia-southeast1", N1_4, 0.2344, NONE, LOW},
	{"gcp", "australia-southeast1", N1_4, 0.2696, NONE, LOW},
	{"gcp", "us-central1", N1_4_T4, 0.54, NONE, LOW},
	{"gcp", "us-east4", N1_4_T4, 0.564, NONE, LOW},
	{"gcp", "us-west1", N1_4_T4, 0.54, NONE, LOW},
	{"gcp", "europe-west1", N1_4_T4, 0.5592, NONE, LOW},
	{"gcp", "europe-west4", N1_4_T4, 0.5592, NONE, LOW},
	{"gcp", "asia-northeast1", N1_4_T4, 0.6142, NONE, LOW},
	{"gcp", "asia-southeast1", N1_4_T4, 0.6044, NONE, LOW},
	{"gcp", "us-central1", G2_4, 0.7068, NONE, LOW},
	{"gcp", "us-east4", G2_4, 0.7961, NONE, LOW},
	{"gcp", "us-west1", G2_4, 0.7068, NONE, LOW},
	{"gcp", "europe-west1", G2_4, 0.7783, NONE, LOW},
	{"gcp", "europe-west2", G2_4, 0.9107, NONE, LOW},
	{"gcp", "europe-west4", G2_4, 0.7787, NONE, LOW},
	{"gcp", "asia-northeast1", G2_4, 0.908, NONE, LOW},
	{"gcp", "asia-southeast1", G2_4, 0.8722, NONE, LOW},
	{"gcp", "us-central1", A2_1, 3.67, 1.8, INDEX},
	{"gcp", "europe-west4", A2_1, 3.75, NONE, LOW},
	{"gcp", "asia-southeast1", A2_1, 4.06, NONE, LOW},
	{"gcp", "us-central1", A2_8, 29.39, NONE, LOW},
	{"gcp", "europe-west4", A2_8, 29.99, NONE, LOW},
	{"gcp", "us-east5", A2_U1, 5.52, 1.65, INDEX},
	{"gcp", "us-central1", A2_U1, 5.07, NONE, LOW},
	{"gcp", "europe-west4", A2_U1, 5.58, NONE, LOW},
	{"gcp", "us-east4", A3_8, 87.83, 20.04, INDEX},
	{"gcp", "us-central1", A3_8, 88.49, NONE, LOW},
	{"gcp", "us-central1", A3_U8, 84.81, NONE, LOW},
};
const struct catalog catalog_gcp = {rows, COUNT_OF(rows)};
