// SPDX-License-Identifier: Apache-2.0
// The shipped rows of Microsoft Azure: virtual machines with Linux, pay as you go, USD an hour. Azure sells no size with an L4.
#include "cloud/catalog_impl.h"

#define LOW "azure.microsoft.com/pricing/details/virtual-machines/linux", CATALOG_WRITTEN, "low" // not looked up again
#define INDEX CATALOG_INDEX, "2026-01", "medium"
#define NONE CATALOG_NO_SPOT

// name, vCPU, GiB, accelerator, how many
#define D2S "Standard_D2s_v5", 2, 8, "", 0
#define D4S "Standard_D4s_v5", 4, 16, "", 0
#define D8S "Standard_D8s_v5", 8, 32, "", 0
#define D16S "Standard_D16s_v5", 16, 64, "", 0
#define F8S "Standard_F8s_v2", 8, 16, "", 0
#define E8S "Standard_E8s_v5", 8, 64, "", 0
#define NC4AS "Standard_NC4as_T4_v3", 4, 28, "T4", 1
#define NC24ADS "Standard_NC24ads_A100_v4", 24, 220, "A100-80GB", 1
#define ND96ASR "Standard_ND96asr_v4", 96, 900, "A100-40GB", 8
#define ND96AMSR "Standard_ND96amsr_A100_v4", 96, 1900, "A100-80GB", 8
#define NC40ADS "Standard_NC40ads_H100_v5", 40, 320, "H100", 1
#define ND96H100 "Standard_ND96isr_H100_v5", 96, 1900, "H100", 8
#define ND96H200 "Standard_ND96isr_H200_v5", 96, 1850, "H200", 8

static const struct catalog_row rows[] = {
	{"azure", "eastus", D2S, 0.096, NONE, LOW},
	{"azure", "westus2", D2S, 0.096, NONE, LOW},
	{"azure", "northeurope", D2S, 0.107, NONE, LOW},
	{"azure", "westeurope", D2S, 0.115, NONE, LOW},
	{"azure", "uksouth", D2S, 0.111, NONE, LOW},
	{"azure", "japaneast", D2S, 0.124, NONE, LOW},
	{"azure", "southeastasia", D2S, 0.12, NONE, LOW},
	{"azure", "australiaeast", D2S, 0.12, NONE, LOW},
	{"azure", "brazilsouth", D2S, 0.1535, NONE, LOW},
	{"azure", "eastus", D4S, 0.192, NONE, LOW},
	{"azure", "westus2", D4S, 0.192, NONE, LOW},
	{"azure", "northeurope", D4S, 0.214, NONE, LOW},
	{"azure", "westeurope", D4S, 0.23, NONE, LOW},
	{"azure", "uksouth", D4S, 0.222, NONE, LOW},
	{"azure", "japaneast", D4S, 0.248, NONE, LOW},
	{"azure", "southeastasia", D4S, 0.24, NONE, LOW},
	{"azure", "australiaeast", D4S, 0.24, NONE, LOW},
	{"azure", "brazilsouth", D4S, 0.307, NONE, LOW},
	{"azure", "eastus", D8S, 0.384, NONE, LOW},
	{"azure", "westus2", D8S, 0.384, NONE, LOW},
	{"azure", "northeurope", D8S, 0.428, NONE, LOW},
	{"azure", "westeurope", D8S, 0.46, NONE, LOW},
	{"azure", "uksouth", D8S, 0.444, NONE, LOW},
	{"azure", "japaneast", D8S, 0.496, NONE, LOW},
	{"azure", "southeastasia", D8S, 0.48, NONE, LOW},
	{"azure", "australiaeast", D8S, 0.48, NONE, LOW},
	{"azure", "brazilsouth", D8S, 0.614, NONE, LOW},
	{"azure", "eastus", D16S, 0.768, NONE, LOW},
	{"azure", "westus2", D16S, 0.768, NONE, LOW},
	{"azure", "northeurope", D16S, 0.856, NONE, LOW},
	{"azure", "westeurope", D16S, 0.92, NONE, LOW},
	{"azure", "uksouth", D16S, 0.888, NONE, LOW},
	{"azure", "japaneast", D16S, 0.992, NONE, LOW},
	{"azure", "southeastasia", D16S, 0.96, NONE, LOW},
	{"azure", "australiaeast", D16S, 0.96, NONE, LOW},
	{"azure", "brazilsouth", D16S, 1.228, NONE, LOW},
	{"azure", "eastus", F8S, 0.338, NONE, LOW},
	{"azure", "westus2", F8S, 0.338, NONE, LOW},
	{"azure", "northeurope", F8S, 0.384, NONE, LOW},
	{"azure", "westeurope", F8S, 0.388, NONE, LOW},
	{"azure", "uksouth", F8S, 0.404, NONE, LOW},
	{"azure", "japaneast", F8S, 0.428, NONE, LOW},
	{"azure", "southeastasia", F8S, 0.392, NONE, LOW},
	{"azure", "australiaeast", F8S, 0.446, NONE, LOW},
	{"azure", "eastus", E8S, 0.504, NONE, LOW},
	{"azure", "westus2", E8S, 0.504, NONE, LOW},
	{"azure", "northeurope", E8S, 0.564, NONE, LOW},
	{"azure", "westeurope", E8S, 0.608, NONE, LOW},
	{"azure", "uksouth", E8S, 0.592, NONE, LOW},
	{"azure", "japaneast", E8S, 0.608, NONE, LOW},
	{"azure", "southeastasia", E8S, 0.608, NONE, LOW},
	{"azure", "australiaeast", E8S, 0.604, NONE, LOW},
	{"azure", "brazilsouth", E8S, 0.806, NONE, LOW},
	{"azure", "eastus", NC4AS, 0.526, NONE, LOW},
	{"azure", "westus2", NC4AS, 0.526, NONE, LOW},
	{"azure", "northeurope", NC4AS, 0.568, NONE, LOW},
	{"azure", "westeurope", NC4AS, 0.605, NONE, LOW},
	{"azure", "uksouth", NC4AS, 0.615, NONE, LOW},
	{"azure", "japaneast", NC4AS, 0.71, NONE, LOW},
	{"azure", "southeastasia", NC4AS, 0.736, NONE, LOW},
	{"azure", "australiaeast", NC4AS, 0.684, NONE, LOW},
	{"azure", "eastus", NC24ADS, 3.673, NONE, LOW},
	{"azure", "westus2", NC24ADS, 3.673, NONE, LOW},
	{"azure", "westeurope", NC24ADS, 4.775, NONE, LOW},
	{"azure", "japaneast", NC24ADS, 5.327, NONE, LOW},
	{"azure", "eastus", ND96ASR, 27.197, NONE, LOW},
	{"azure", "westus2", ND96ASR, 27.197, NONE, LOW},
	{"azure", "eastus", ND96AMSR, 32.77, NONE, LOW},
	{"azure", "westus2", ND96AMSR, 32.77, NONE, LOW},
	{"azure", "eastus", NC40ADS, 6.98, NONE, "costnimbus.com, Azure GPU prices", "2026-03", "medium"},
	{"azure", "eastus", ND96H100, 98.32, NONE, LOW},
	{"azure", "eastus", ND96H200, 110.24, NONE, LOW},
};
const struct catalog catalog_azure = {rows, COUNT_OF(rows)};
