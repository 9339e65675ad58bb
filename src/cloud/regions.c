// SPDX-License-Identifier: Apache-2.0
// The table of regions: see regions.h. One row a region; the country is where the data centres stand. Regions of
// governments and of mainland China are sold by other contracts under other endpoints, and are not here.
#include "cloud/regions.h"

static const struct region regions[] = {
	// Amazon Web Services: "AWS Regions" (AWS Regions and Availability Zones user guide)
	{"aws", "us-east-1", "US", "Northern Virginia", AREA_NORTH_AMERICA},
	{"aws", "us-east-2", "US", "Ohio", AREA_NORTH_AMERICA},
	{"aws", "us-west-1", "US", "Northern California", AREA_NORTH_AMERICA},
	{"aws", "us-west-2", "US", "Oregon", AREA_NORTH_AMERICA},
	{"aws", "ca-central-1", "CA", "Montreal", AREA_NORTH_AMERICA},
	{"aws", "ca-west-1", "CA", "Calgary", AREA_NORTH_AMERICA},
	{"aws", "mx-central-1", "MX", "Queretaro", AREA_NORTH_AMERICA},
	{"aws", "sa-east-1", "BR", "Sao Paulo", AREA_SOUTH_AMERICA},
	{"aws", "eu-west-1", "IE", "Dublin", AREA_EUROPE},
	{"aws", "eu-west-2", "GB", "London", AREA_EUROPE},
	{"aws", "eu-west-3", "FR", "Paris", AREA_EUROPE},
	{"aws", "eu-central-1", "DE", "Frankfurt", AREA_EUROPE},
	{"aws", "eu-central-2", "CH", "Zurich", AREA_EUROPE},
	{"aws", "eu-north-1", "SE", "Stockholm", AREA_EUROPE},
	{"aws", "eu-south-1", "IT", "Milan", AREA_EUROPE},
	{"aws", "eu-south-2", "ES", "Aragon", AREA_EUROPE},
	{"aws", "ap-northeast-1", "JP", "Tokyo", AREA_ASIA},
	{"aws", "ap-northeast-2", "KR", "Seoul", AREA_ASIA},
	{"aws", "ap-northeast-3", "JP", "Osaka", AREA_ASIA},
	{"aws", "ap-east-1", "HK", "Hong Kong", AREA_ASIA},
	{"aws", "ap-east-2", "TW", "Taipei", AREA_ASIA},
	{"aws", "ap-south-1", "IN", "Mumbai", AREA_ASIA},
	{"aws", "ap-south-2", "IN", "Hyderabad", AREA_ASIA},
	{"aws", "ap-southeast-1", "SG", "Singapore", AREA_ASIA},
	{"aws", "ap-southeast-3", "ID", "Jakarta", AREA_ASIA},
	{"aws", "ap-southeast-5", "MY", "Malaysia", AREA_ASIA},
	{"aws", "ap-southeast-7", "TH", "Bangkok", AREA_ASIA},
	{"aws", "ap-southeast-2", "AU", "Sydney", AREA_OCEANIA},
	{"aws", "ap-southeast-4", "AU", "Melbourne", AREA_OCEANIA},
	{"aws", "ap-southeast-6", "NZ", "Auckland", AREA_OCEANIA},
	{"aws", "me-south-1", "BH", "Bahrain", AREA_MIDDLE_EAST},
	{"aws", "me-central-1", "AE", "United Arab Emirates", AREA_MIDDLE_EAST},
	{"aws", "il-central-1", "IL", "Tel Aviv", AREA_MIDDLE_EAST},
	{"aws", "af-south-1", "ZA", "Cape Town", AREA_AFRICA},
	// Google Cloud: "Cloud locations" and "Bucket locations" (Cloud Storage documentation)
	{"gcp", "us-central1", "US", "Iowa", AREA_NORTH_AMERICA},
	{"gcp", "us-east1", "US", "South Carolina", AREA_NORTH_AMERICA},
	{"gcp", "us-east4", "US", "Northern Virginia", AREA_NORTH_AMERICA},
	{"gcp", "us-east5", "US", "Columbus", AREA_NORTH_AMERICA},
	{"gcp", "us-south1", "US", "Dallas", AREA_NORTH_AMERICA},
	{"gcp", "us-west1", "US", "Oregon", AREA_NORTH_AMERICA},
	{"gcp", "us-west2", "US", "Los Angeles", AREA_NORTH_AMERICA},
	{"gcp", "us-west3", "US", "Salt Lake City", AREA_NORTH_AMERICA},
	{"gcp", "us-west4", "US", "Las Vegas", AREA_NORTH_AMERICA},
	{"gcp", "northamerica-northeast1", "CA", "Montreal", AREA_NORTH_AMERICA},
	{"gcp", "northamerica-northeast2", "CA", "Toronto", AREA_NORTH_AMERICA},
	{"gcp", "northamerica-south1", "MX", "Queretaro", AREA_NORTH_AMERICA},
	{"gcp", "southamerica-east1", "BR", "Sao Paulo", AREA_SOUTH_AMERICA},
	{"gcp", "southamerica-west1", "CL", "Santiago", AREA_SOUTH_AMERICA},
	{"gcp", "europe-central2", "PL", "Warsaw", AREA_EUROPE},
	{"gcp", "europe-north1", "FI", "Hamina", AREA_EUROPE},
	{"gcp", "europe-north2", "SE", "Stockholm", AREA_EUROPE},
	{"gcp", "europe-southwest1", "ES", "Madrid", AREA_EUROPE},
	{"gcp", "europe-west1", "BE", "St. Ghislain", AREA_EUROPE},
	{"gcp", "europe-west2", "GB", "London", AREA_EUROPE},
	{"gcp", "europe-west3", "DE", "Frankfurt", AREA_EUROPE},
	{"gcp", "europe-west4", "NL", "Eemshaven", AREA_EUROPE},
	{"gcp", "europe-west6", "CH", "Zurich", AREA_EUROPE},
	{"gcp", "europe-west8", "IT", "Milan", AREA_EUROPE},
	{"gcp", "europe-west9", "FR", "Paris", AREA_EUROPE},
	{"gcp", "europe-west10", "DE", "Berlin", AREA_EUROPE},
	{"gcp", "europe-west12", "IT", "Turin", AREA_EUROPE},
	{"gcp", "asia-east1", "TW", "Changhua County", AREA_ASIA},
	{"gcp", "asia-east2", "HK", "Hong Kong", AREA_ASIA},
	{"gcp", "asia-northeast1", "JP", "Tokyo", AREA_ASIA},
	{"gcp", "asia-northeast2", "JP", "Osaka", AREA_ASIA},
	{"gcp", "asia-northeast3", "KR", "Seoul", AREA_ASIA},
	{"gcp", "asia-south1", "IN", "Mumbai", AREA_ASIA},
	{"gcp", "asia-south2", "IN", "Delhi", AREA_ASIA},
	{"gcp", "asia-southeast1", "SG", "Jurong West", AREA_ASIA},
	{"gcp", "asia-southeast2", "ID", "Jakarta", AREA_ASIA},
	{"gcp", "australia-southeast1", "AU", "Sydney", AREA_OCEANIA},
	{"gcp", "australia-southeast2", "AU", "Melbourne", AREA_OCEANIA},
	{"gcp", "me-central1", "QA", "Doha", AREA_MIDDLE_EAST},
	{"gcp", "me-central2", "SA", "Dammam", AREA_MIDDLE_EAST},
	{"gcp", "me-west1", "IL", "Tel Aviv", AREA_MIDDLE_EAST},
	{"gcp", "africa-south1", "ZA", "Johannesburg", AREA_AFRICA},
	// Microsoft Azure: "List of Azure regions" (Azure reliability documentation)
	{"azure", "eastus", "US", "Virginia", AREA_NORTH_AMERICA},
	{"azure", "eastus2", "US", "Virginia", AREA_NORTH_AMERICA},
	{"azure", "centralus", "US", "Iowa", AREA_NORTH_AMERICA},
	{"azure", "northcentralus", "US", "Illinois", AREA_NORTH_AMERICA},
	{"azure", "southcentralus", "US", "Texas", AREA_NORTH_AMERICA},
	{"azure", "westcentralus", "US", "Wyoming", AREA_NORTH_AMERICA},
	{"azure", "westus", "US", "California", AREA_NORTH_AMERICA},
	{"azure", "westus2", "US", "Washington", AREA_NORTH_AMERICA},
	{"azure", "westus3", "US", "Phoenix", AREA_NORTH_AMERICA},
	{"azure", "canadacentral", "CA", "Toronto", AREA_NORTH_AMERICA},
	{"azure", "canadaeast", "CA", "Quebec", AREA_NORTH_AMERICA},
	{"azure", "mexicocentral", "MX", "Queretaro", AREA_NORTH_AMERICA},
	{"azure", "brazilsouth", "BR", "Sao Paulo State", AREA_SOUTH_AMERICA},
	{"azure", "chilecentral", "CL", "Santiago", AREA_SOUTH_AMERICA},
	{"azure", "northeurope", "IE", "Ireland", AREA_EUROPE},
	{"azure", "westeurope", "NL", "Netherlands", AREA_EUROPE},
	{"azure", "uksouth", "GB", "London", AREA_EUROPE},
	{"azure", "ukwest", "GB", "Cardiff", AREA_EUROPE},
	{"azure", "francecentral", "FR", "Paris", AREA_EUROPE},
	{"azure", "germanywestcentral", "DE", "Frankfurt", AREA_EUROPE},
	{"azure", "italynorth", "IT", "Milan", AREA_EUROPE},
	{"azure", "norwayeast", "NO", "Norway", AREA_EUROPE},
	{"azure", "polandcentral", "PL", "Warsaw", AREA_EUROPE},
	{"azure", "spaincentral", "ES", "Madrid", AREA_EUROPE},
	{"azure", "swedencentral", "SE", "Gavle", AREA_EUROPE},
	{"azure", "switzerlandnorth", "CH", "Zurich", AREA_EUROPE},
	{"azure", "belgiumcentral", "BE", "Brussels", AREA_EUROPE},
	{"azure", "austriaeast", "AT", "Vienna", AREA_EUROPE},
	{"azure", "eastasia", "HK", "Hong Kong", AREA_ASIA},
	{"azure", "southeastasia", "SG", "Singapore", AREA_ASIA},
	{"azure", "japaneast", "JP", "Tokyo and Saitama", AREA_ASIA},
	{"azure", "japanwest", "JP", "Osaka", AREA_ASIA},
	{"azure", "koreacentral", "KR", "Seoul", AREA_ASIA},
	{"azure", "koreasouth", "KR", "Busan", AREA_ASIA},
	{"azure", "centralindia", "IN", "Pune", AREA_ASIA},
	{"azure", "southindia", "IN", "Chennai", AREA_ASIA},
	{"azure", "westindia", "IN", "Mumbai", AREA_ASIA},
	{"azure", "indonesiacentral", "ID", "Jakarta", AREA_ASIA},
	{"azure", "malaysiawest", "MY", "Kuala Lumpur", AREA_ASIA},
	{"azure", "australiaeast", "AU", "New South Wales", AREA_OCEANIA},
	{"azure", "australiasoutheast", "AU", "Victoria", AREA_OCEANIA},
	{"azure", "newzealandnorth", "NZ", "Auckland", AREA_OCEANIA},
	{"azure", "uaenorth", "AE", "Dubai", AREA_MIDDLE_EAST},
	{"azure", "qatarcentral", "QA", "Doha", AREA_MIDDLE_EAST},
	{"azure", "israelcentral", "IL", "Israel", AREA_MIDDLE_EAST},
	{"azure", "southafricanorth", "ZA", "Johannesburg", AREA_AFRICA},
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
