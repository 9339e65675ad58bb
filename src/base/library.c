// SPDX-License-Identifier: Apache-2.0
// Optional libraries: see library.h. A library runs with all our rights, so the file and every folder above it must
// belong to root and be writable by nobody else; then the path cannot lead elsewhere between the check and the load.
#include "base/library.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_safe(const char *path)
{
	struct stat about;
	return stat(path, &about) == 0 && about.st_uid == 0 && !(about.st_mode & (S_IWGRP | S_IWOTH));
}

// The real path of the file, with all links resolved, each part of which is safe. 0, ERR_NOT_FOUND or ERR_DENIED.
static int resolve(const char *path, char real[PATH_MAX])
{
	if (path[0] != '/' || !realpath(path, real))
		return ERR_NOT_FOUND;
	char part[PATH_MAX];
	memcpy(part, real, PATH_MAX);
	for (char *slash = strrchr(part, '/'); slash; slash = strrchr(part, '/')) {
		if (!is_safe(part))
			return ERR_DENIED;
		*slash = '\0';
	}
	return is_safe("/") ? 0 : ERR_DENIED;
}

static int find_file(const struct library_spec *spec, char real[PATH_MAX], struct err *e)
{
	for (const char *const *path = spec->paths; *path; path++) {
		int rc = resolve(*path, real);
		if (rc == 0)
			return 0;
		if (rc == ERR_DENIED)
			return err_set(
				e, ERR_DENIED, "load %s: %s may be changed by others than root", spec->name, *path);
	}
	return err_set(
		e, ERR_UNSUPPORTED, "%s is not installed; apt-get install %s brings it", spec->name, spec->package);
}

static int fill_table(const struct library_spec *spec, void *handle, void *table, struct err *e)
{
	for (int store = 0; store <= 1; store++) // all or nothing: first look, then store
		for (size_t i = 0; i < spec->symbol_count; i++) {
			void *symbol = dlsym(handle, spec->symbols[i].name);
			if (!symbol)
				return err_set(e, ERR_UNSUPPORTED, "%s has no function %s; a newer %s is needed",
					spec->name, spec->symbols[i].name, spec->package);
			if (store)
				memcpy((char *)table + spec->symbols[i].offset, &symbol, sizeof(symbol));
		}
	return 0;
}

int library_load(const struct library_spec *spec, void *table, struct err *e)
{
	char real[PATH_MAX];
	int rc = find_file(spec, real, e);
	if (rc < 0)
		return rc;
	void *handle = dlopen(real, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return err_set(e, ERR_UNSUPPORTED, "load %s: %s", spec->name, dlerror());
	rc = fill_table(spec, handle, table, e);
	if (rc < 0)
		dlclose(handle);
	return rc;
}
