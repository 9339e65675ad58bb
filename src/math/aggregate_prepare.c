// SPDX-License-Identifier: Apache-2.0
// Before a byte is written: the sites in order of their names, their headers compared with the form that the result has.
#include <math.h>
#include <stdlib.h>

#include "math/aggregate_impl.h"

enum { AGGREGATE_MAX_SITES = 4096 };

static int tensors_by_name(const void *x, const void *y)
{
	const struct tensor *const *a = x, *const *b = y;
	return str_cmp((*a)->name, (*b)->name);
}

static int sites_by_name(const void *x, const void *y)
{
	const struct aggregate_in *a = x, *b = y;
	return str_cmp(a->name, b->name);
}

static int index_input(struct aggregate_work *w, struct aggregate_in *in, struct err *e)
{
	const struct safetensors *s = in->from->tensors;
	in->by_name = arena_new_array(w->arena, s->count ? s->count : 1, const struct tensor *);
	if (!in->by_name)
		return err_set(e, ERR_NO_MEMORY, "aggregate: out of memory");
	for (size_t i = 0; i < s->count; i++)
		in->by_name[i] = &s->tensors[i];
	qsort(in->by_name, s->count, sizeof(*in->by_name), tensors_by_name);
	return 0;
}

static int prepare_sites(struct aggregate_work *w, struct err *e)
{
	const struct aggregate *a = w->a;
	uint64_t samples = 0;
	if (!a->count || a->count > AGGREGATE_MAX_SITES)
		return err_set(e, ERR_INVALID, "aggregate: %zu sites, from 1 to %d are possible", a->count, AGGREGATE_MAX_SITES);
	w->sites = arena_new_array(w->arena, a->count, struct aggregate_in);
	if (!w->sites)
		return err_set(e, ERR_NO_MEMORY, "aggregate: out of memory");
	for (size_t i = 0; i < a->count; i++) {
		const struct aggregate_site *site = &a->sites[i];
		w->sites[i] = (struct aggregate_in){.from = &site->input, .name = site->name, .weight = (double)site->samples};
		if (!site->samples || __builtin_add_overflow(samples, site->samples, &samples))
			return err_set(e, ERR_INVALID, "aggregate: site %.*s says that it learned from %llu samples", STR(site->name),
				(unsigned long long)site->samples);
	}
	qsort(w->sites, a->count, sizeof(*w->sites), sites_by_name);
	for (size_t i = 0; i < a->count; i++) {
		if (i && str_eq(w->sites[i - 1].name, w->sites[i].name))
			return err_set(e, ERR_INVALID, "aggregate: site %.*s is there twice", STR(w->sites[i].name));
		if (w->sites[i].weight > w->sites[w->most_samples].weight)
			w->most_samples = i;
		int rc = index_input(w, &w->sites[i], e);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < a->count; i++)
		w->sites[i].weight /= (double)samples;
	return 0;
}

enum tensor_type aggregate_state_type(enum tensor_type type)
{
	return type == TENSOR_F64 ? TENSOR_F64 : TENSOR_F32;
}

// Are the tensors of one input those of the form? as_state: only its float tensors, in the type of momentum.
static int compare_form(const struct aggregate_work *w, const struct aggregate_in *in, bool as_state, struct err *e)
{
	const struct safetensors *form = w->form->from->tensors;
	size_t at = 0, count = in->from->tensors->count;
	for (size_t i = 0; i < form->count; i++) {
		struct tensor want = *w->form->by_name[i];
		if (as_state && !aggregate_is_float(want.type))
			continue;
		want.type = as_state ? aggregate_state_type(want.type) : want.type;
		const struct tensor *got = at < count ? in->by_name[at++] : NULL;
		int order = got ? str_cmp(got->name, want.name) : 1;
		if (order > 0)
			return err_set(e, ERR_INVALID, "aggregate: %.*s lacks tensor \"%.*s\"", STR(in->name), STR(want.name));
		if (order < 0)
			return err_set(e, ERR_INVALID, "aggregate: %.*s has tensor \"%.*s\", which the others lack", STR(in->name),
				STR(got->name));
		if (!tensor_same_form(got, &want))
			return err_set(e, ERR_INVALID, "aggregate: tensor \"%.*s\" of %.*s has another type or shape than it must",
				STR(want.name), STR(in->name));
	}
	if (at < count)
		return err_set(e, ERR_INVALID, "aggregate: %.*s has tensor \"%.*s\", which the others lack", STR(in->name),
			STR(in->by_name[at]->name));
	return 0;
}

static int check_types(const struct aggregate_work *w, struct err *e)
{
	const struct safetensors *form = w->form->from->tensors;
	for (size_t i = 0; i < form->count; i++) {
		const struct tensor *t = &form->tensors[i];
		if (!aggregate_is_float(t->type) && !aggregate_is_whole(t->type))
			return err_set(e, ERR_UNSUPPORTED, "aggregate: tensor \"%.*s\" has type %s, which has no mean here", STR(t->name),
				tensor_type_name(t->type));
	}
	return 0;
}

static int check_outer(const struct aggregate *a, struct err *e)
{
	const struct aggregate_outer *o = &a->outer;
	if (!o->nesterov)
		return 0;
	if (!a->base || !a->state_out_path)
		return err_set(e, ERR_INTERNAL, "aggregate: an outer step needs the base and a place for the momentum");
	if (!(o->rate >= 0) || !isfinite(o->rate) || !(o->momentum >= 0) || o->momentum > 1)
		return err_set(e, ERR_INVALID, "aggregate: rate %g must be 0 or more, momentum %g from 0 to 1", o->rate, o->momentum);
	return 0;
}

static int prepare_forms(struct aggregate_work *w, struct err *e)
{
	const struct aggregate *a = w->a;
	int rc = check_outer(a, e);
	w->form = &w->sites[0];
	if (rc == 0 && a->base) {
		w->base = (struct aggregate_in){.from = a->base, .name = S("the base")};
		w->form = &w->base;
		rc = index_input(w, &w->base, e);
	}
	for (size_t i = 0; i < a->count && rc == 0; i++)
		rc = compare_form(w, &w->sites[i], false, e);
	if (rc == 0 && !w->any_type)
		rc = check_types(w, e);
	if (rc == 0 && a->outer.nesterov && a->state) {
		w->state = (struct aggregate_in){.from = a->state, .name = S("the momentum")};
		rc = index_input(w, &w->state, e);
		if (rc == 0)
			rc = compare_form(w, &w->state, true, e);
	}
	return rc;
}

const struct tensor *aggregate_tensor(const struct aggregate_in *in, struct str name)
{
	struct tensor key = {.name = name};
	const struct tensor *wanted = &key;
	const struct tensor **found = bsearch(&wanted, in->by_name, in->from->tensors->count, sizeof(wanted), tensors_by_name);
	return found ? *found : NULL;
}

static int lay_out_result(struct aggregate_work *w, struct err *e)
{
	const struct safetensors *form = w->form->from->tensors;
	w->out.tensors = arena_new_array(w->arena, form->count ? form->count : 1, struct tensor);
	if (!w->out.tensors)
		return err_set(e, ERR_NO_MEMORY, "aggregate: out of memory");
	w->out.count = form->count;
	for (size_t i = 0; i < form->count; i++)
		w->out.tensors[i] = form->tensors[i];
	return safetensors_lay_out(&w->out, e);
}

// The momentum lies in the order of the result, so that one pass writes both; the widest types still come first.
static int lay_out_momentum(struct aggregate_work *w, struct err *e)
{
	struct safetensors *s = &w->state_out;
	s->tensors = arena_new_array(w->arena, w->out.count ? w->out.count : 1, struct tensor);
	if (!s->tensors)
		return err_set(e, ERR_NO_MEMORY, "aggregate: out of memory");
	for (size_t i = 0; i < w->out.count; i++) {
		struct tensor t = w->out.tensors[i];
		uint64_t bytes;
		if (!aggregate_is_float(t.type))
			continue;
		t.type = aggregate_state_type(t.type);
		if (tensor_bytes(t.type, t.shape, t.rank, &bytes) < 0 || __builtin_add_overflow(s->data_size, bytes, &t.end))
			return err_set(e, ERR_LIMIT, "aggregate: the momentum of \"%.*s\" is too large", STR(t.name));
		t.begin = s->data_size;
		s->data_size = t.end;
		s->tensors[s->count++] = t;
	}
	return 0;
}

int aggregate_prepare(struct aggregate_work *w, struct err *e)
{
	int rc = prepare_sites(w, e);
	if (rc == 0)
		rc = prepare_forms(w, e);
	if (rc == 0)
		rc = lay_out_result(w, e);
	if (rc == 0 && w->a->outer.nesterov)
		rc = lay_out_momentum(w, e);
	return rc;
}
