// SPDX-License-Identifier: Apache-2.0
// The table of regions: see regions.h. One row a region; the country is where the data centres stand. Regions of
// governments and of mainland China are sold by other contracts under other endpoints, and are not here.
#include "cloud/regions.h"

// The provider's own list that a row comes from, and the day of the list that the rows were compared with.
#define AWS_LIST "https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html"
#define GCP_LIST "https://cloud.google.com/about/locations"
#define AZURE_LIST "https://learn.microsoft.com/en-us/azure/reliability/regions-list"
#define LISTED "2026-05-16"

static const struct region regions[] = {
	// Amazon Web Services: "AWS Regions" (AWS Regions and Availability Zones user guide)
	{"aws", "us-east-1", "US", "Northern Virginia", AREA_NORTH_AMERICA, AWS_LIST, LISTED},
	{"aws", "us-east-2", "US", "Ohio", AREA_NORTH_AMERICA, AWS_LIST, LISTED},
	{"aws", "us-west-1", "US", "Northern California", AREA_NORTH_AMERICA, AWS_LIST, LISTED},
	{"aws", "us-west-2", "US", "Oregon", AREA_NORTH_AMERICA, AWS_LIST, LISTED},
	{"aws", "ca-central-1", "CA", "Montreal", AREA_NORTH_AMERICA, AWS_LIST, LISTED},
	{"aws", "ca-west-1", "CA", "Calgary", AREA_NORTH_AMERICA, AWS_LIST, LISTED},
	{"aws", "mx-central-1", "MX", "Queretaro", AREA_NORTH_AMERICA, AWS_LIST, LISTED},
	{"aws", "sa-east-1", "BR", "Sao Paulo", AREA_SOUTH_AMERICA, AWS_LIST, LISTED},
	{"aws", "eu-west-1", "IE", "Dublin", AREA_EUROPE, AWS_LIST, LISTED},
	{"aws", "eu-west-2", "GB", "London", AREA_EUROPE, AWS_LIST, LISTED},
	{"aws", "eu-west-3", "FR", "Paris", AREA_EUROPE, AWS_LIST, LISTED},
	{"aws", "eu-central-1", "DE", "Frankfurt", AREA_EUROPE, AWS_LIST, LISTED},
	{"aws", "eu-central-2", "CH", "Zurich", AREA_EUROPE, AWS_LIST, LISTED},
	{"aws", "eu-north-1", "SE", "Stockholm", AREA_EUROPE, AWS_LIST, LISTED},
	{"aws", "eu-south-1", "IT", "Milan", AREA_EUROPE, AWS_LIST, LISTED},
	{"aws", "eu-south-2", "ES", "Aragon", AREA_EUROPE, AWS_LIST, LISTED},
	{"aws", "ap-northeast-1", "JP", "Tokyo", AREA_ASIA, AWS_LIST, LISTED},
	{"aws", "ap-northeast-2", "KR", "Seoul", AREA_ASIA, AWS_LIST, LISTED},
	{"aws", "ap-northeast-3", "JP", "Osaka", AREA_ASIA, AWS_LIST, LISTED},
	{"aws", "ap-east-1", "HK", "Hong Kong", AREA_ASIA, AWS_LIST, LISTED},
	{"aws", "ap-east-2", "TW", "Taipei", AREA_ASIA, AWS_LIST, LISTED},
	{"aws", "ap-south-1", "IN", "Mumbai", AREA_ASIA, AWS_LIST, LISTED},
	{"aws", "ap-south-2", "IN", "Hyderabad", AREA_ASIA, AWS_LIST, LISTED},
	{"aws", "ap-southeast-1", "SG", "Singapore", AREA_ASIA, AWS_LIST, LISTED},
	{"aws", "ap-southeast-3", "ID", "Jakarta", AREA_ASIA, AWS_LIST, LISTED},
	{"aws", "ap-southeast-5", "MY", "Malaysia", AREA_ASIA, AWS_LIST, LISTED},
	{"aws", "ap-southeast-7", "TH", "Bangkok", AREA_ASIA, AWS_LIST, LISTED},
	{"aws", "ap-southeast-2", "AU", "Sydney", AREA_OCEANIA, AWS_LIST, LISTED},
	{"aws", "ap-southeast-4", "AU", "Melbourne", AREA_OCEANIA, AWS_LIST, LISTED},
	{"aws", "ap-southeast-6", "NZ", "Auckland", AREA_OCEANIA, AWS_LIST, LISTED},
	{"aws", "me-south-1", "BH", "Bahrain", AREA_MIDDLE_EAST, AWS_LIST, LISTED},
	{"aws", "me-central-1", "AE", "United Arab Emirates", AREA_MIDDLE_EAST, AWS_LIST, LISTED},
	{"aws", "il-central-1", "IL", "Tel Aviv", AREA_MIDDLE_EAST, AWS_LIST, LISTED},
	{"aws", "af-south-1", "ZA", "Cape Town", AREA_AFRICA, AWS_LIST, LISTED},
	// Google Cloud: "Cloud locations" and "Bucket locations" (Cloud Storage documentation)
	{"gcp", "us-central1", "US", "Iowa", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "us-east1", "US", "South Carolina", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "us-east4", "US", "Northern Virginia", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "us-east5", "US", "Columbus", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "us-south1", "US", "Dallas", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "us-west1", "US", "Oregon", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "us-west2", "US", "Los Angeles", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "us-west3", "US", "Salt Lake City", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "us-west4", "US", "Las Vegas", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "northamerica-northeast1", "CA", "Montreal", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "northamerica-northeast2", "CA", "Toronto", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "northamerica-south1", "MX", "Queretaro", AREA_NORTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "southamerica-east1", "BR", "Sao Paulo", AREA_SOUTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "southamerica-west1", "CL", "Santiago", AREA_SOUTH_AMERICA, GCP_LIST, LISTED},
	{"gcp", "europe-central2", "PL", "Warsaw", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-north1", "FI", "Hamina", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-north2", "SE", "Stockholm", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-southwest1", "ES", "Madrid", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-west1", "BE", "St. Ghislain", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-west2", "GB", "London", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-west3", "DE", "Frankfurt", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-west4", "NL", "Eemshaven", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-west6", "CH", "Zurich", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-west8", "IT", "Milan", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-west9", "FR", "Paris", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-west10", "DE", "Berlin", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "europe-west12", "IT", "Turin", AREA_EUROPE, GCP_LIST, LISTED},
	{"gcp", "asia-east1", "TW", "Changhua County", AREA_ASIA, GCP_LIST, LISTED},
	{"gcp", "asia-east2", "HK", "Hong Kong", AREA_ASIA, GCP_LIST, LISTED},
	{"gcp", "asia-northeast1", "JP", "Tokyo", AREA_ASIA, GCP_LIST, LISTED},
	{"gcp", "asia-northeast2", "JP", "Osaka", AREA_ASIA, GCP_LIST, LISTED},
	{"gcp", "asia-northeast3", "KR", "Seoul", AREA_ASIA, GCP_LIST, LISTED},
	{"gcp", "asia-south1", "IN", "Mumbai", AREA_ASIA, GCP_LIST, LISTED},
	{"gcp", "asia-south2", "IN", "Delhi", AREA_ASIA, GCP_LIST, LISTED},
	{"gcp", "asia-southeast1", "SG", "Jurong West", AREA_ASIA, GCP_LIST, LISTED},
	{"gcp", "asia-southeast2", "ID", "Jakarta", AREA_ASIA, GCP_LIST, LISTED},
	{"gcp", "asia-southeast3", "TH", "Bangkok", AREA_ASIA, GCP_LIST, LISTED},
	{"gcp", "australia-southeast1", "AU", "Sydney", AREA_OCEANIA, GCP_LIST, LISTED},
	{"gcp", "australia-southeast2", "AU", "Melbourne", AREA_OCEANIA, GCP_LIST, LISTED},
	{"gcp", "me-central1", "QA", "Doha", AREA_MIDDLE_EAST, GCP_LIST, LISTED},
	{"gcp", "me-central2", "SA", "Dammam", AREA_MIDDLE_EAST, GCP_LIST, LISTED},
	{"gcp", "me-west1", "IL", "Tel Aviv", AREA_MIDDLE_EAST, GCP_LIST, LISTED},
	{"gcp", "africa-south1", "ZA", "Johannesburg", AREA_AFRICA, GCP_LIST, LISTED},
	// Microsoft Azure: "List of Azure regions" (Azure reliability documentation)
	{"azure", "eastus", "US", "Virginia", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "eastus2", "US", "Virginia", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "centralus", "US", "Iowa", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "northcentralus", "US", "Illinois", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "southcentralus", "US", "Texas", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "westcentralus", "US", "Wyoming", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "westus", "US", "California", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "westus2", "US", "Washington", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "westus3", "US", "Phoenix", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "canadacentral", "CA", "Toronto", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "canadaeast", "CA", "Quebec", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "mexicocentral", "MX", "Queretaro", AREA_NORTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "brazilsouth", "BR", "Sao Paulo State", AREA_SOUTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "brazilsoutheast", "BR", "Rio de Janeiro", AREA_SOUTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "chilecentral", "CL", "Santiago", AREA_SOUTH_AMERICA, AZURE_LIST, LISTED},
	{"azure", "northeurope", "IE", "Ireland", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "westeurope", "NL", "Netherlands", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "uksouth", "GB", "London", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "ukwest", "GB", "Cardiff", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "francecentral", "FR", "Paris", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "francesouth", "FR", "Marseille", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "germanywestcentral", "DE", "Frankfurt", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "germanynorth", "DE", "Berlin", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "italynorth", "IT", "Milan", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "norwayeast", "NO", "Norway", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "norwaywest", "NO", "Norway", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "polandcentral", "PL", "Warsaw", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "spaincentral", "ES", "Madrid", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "swedencentral", "SE", "Gavle", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "switzerlandnorth", "CH", "Zurich", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "switzerlandwest", "CH", "Geneva", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "belgiumcentral", "BE", "Brussels", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "denmarkeast", "DK", "Copenhagen", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "austriaeast", "AT", "Vienna", AREA_EUROPE, AZURE_LIST, LISTED},
	{"azure", "eastasia", "HK", "Hong Kong", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "southeastasia", "SG", "Singapore", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "japaneast", "JP", "Tokyo and Saitama", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "japanwest", "JP", "Osaka", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "koreacentral", "KR", "Seoul", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "koreasouth", "KR", "Busan", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "centralindia", "IN", "Pune", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "southindia", "IN", "Chennai", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "westindia", "IN", "Mumbai", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "jioindiawest", "IN", "Jamnagar", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "jioindiacentral", "IN", "Nagpur", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "indonesiacentral", "ID", "Jakarta", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "malaysiawest", "MY", "Kuala Lumpur", AREA_ASIA, AZURE_LIST, LISTED},
	{"azure", "australiaeast", "AU", "New South Wales", AREA_OCEANIA, AZURE_LIST, LISTED},
	{"azure", "australiasoutheast", "AU", "Victoria", AREA_OCEANIA, AZURE_LIST, LISTED},
	{"azure", "australiacentral", "AU", "Canberra", AREA_OCEANIA, AZURE_LIST, LISTED},
	{"azure", "australiacentral2", "AU", "Canberra", AREA_OCEANIA, AZURE_LIST, LISTED},
	{"azure", "newzealandnorth", "NZ", "Auckland", AREA_OCEANIA, AZURE_LIST, LISTED},
	{"azure", "uaenorth", "AE", "Dubai", AREA_MIDDLE_EAST, AZURE_LIST, LISTED},
	{"azure", "uaecentral", "AE", "Abu Dhabi", AREA_MIDDLE_EAST, AZURE_LIST, LISTED},
	{"azure", "qatarcentral", "QA", "Doha", AREA_MIDDLE_EAST, AZURE_LIST, LISTED},
	{"azure", "israelcentral", "IL", "Israel", AREA_MIDDLE_EAST, AZURE_LIST, LISTED},
	{"azure", "southafricanorth", "ZA", "Johannesburg", AREA_AFRICA, AZURE_LIST, LISTED},
	{"azure", "southafricawest", "ZA", "Cape Town", AREA_AFRICA, AZURE_LIST, LISTED},
};

const struct region *region_table(size_t *count)
{
	*count = COUNT_OF(regions);
	return regions;
}

const struct region *region_find(struct str provider, struct str name)
{
	for (size_t i = 0; i < COUNT_OF(regions); i++) {
		if (str_eq(str_of(regions[i].name), name) && str_eq(str_of(regions[i].provider), provider))
			return &regions[i];
	}
	return NULL;
}

const struct region *region_find_any(struct str name)
{
	for (size_t i = 0; i < COUNT_OF(regions); i++) {
		if (str_eq(str_of(regions[i].name), name))
			return &regions[i];
	}
	return NULL;
}

struct str region_provider_law(struct str provider)
{
	// Amazon.com, Inc., Alphabet Inc. and Microsoft Corporation are companies of the United States, wherever a region is.
	return region_provider_known(provider) ? S("US") : S("");
}

bool region_provider_known(struct str provider)
{
	for (size_t i = 0; i < COUNT_OF(regions); i++) {
		if (str_eq(str_of(regions[i].provider), provider))
			return true;
	}
	return false;
}

struct str region_suggest(struct str provider, struct str written)
{
	struct str best = S("");
	unsigned distance = (unsigned)MIN(written.n / 3 + 1, 4); // further away is another word, no slip of the finger
	for (size_t i = 0; i < COUNT_OF(regions); i++) {
		if (!str_eq(str_of(regions[i].provider), provider))
			continue;
		unsigned d = str_distance(str_of(regions[i].name), written);
		if (d >= distance)
			continue;
		distance = d;
		best = str_of(regions[i].name);
	}
	return best;
}
