// SPDX-License-Identifier: Apache-2.0
// libpq, loaded when a state on PostgreSQL is opened first (base/library.h): the functions of its documented interface
// that we call (PostgreSQL 15 documentation, chapter 34), declared here, so that building needs no headers of it and
// running needs no libpq unless a workspace says postgresql://. Constant once loaded; used by all threads.
#ifndef ISOBAR_STATE_POSTGRES_LIBRARY_H
#define ISOBAR_STATE_POSTGRES_LIBRARY_H

#include "base/err.h"

struct pg_conn;
struct pg_result;
struct pg_cancel;
struct pg_notify { // as libpq lays it out (34.9)
	char *relname;
	int be_pid;
	char *extra;
	struct pg_notify *next;
};

// Values of ConnStatusType, PostgresPollingStatusType and ExecStatusType that we look at.
enum { PG_CONNECTION_OK = 0 };
enum { PG_POLLING_FAILED = 0, PG_POLLING_READING = 1, PG_POLLING_WRITING = 2, PG_POLLING_OK = 3 };
enum { PG_EMPTY_QUERY = 0, PG_COMMAND_OK = 1, PG_TUPLES_OK = 2 };

// X(member, return type, parameters): function PQmember
#define POSTGRES_FUNCTIONS(X)                                                                                          \
	X(connectStartParams, struct pg_conn *,                                                                        \
		(const char *const *keywords, const char *const *values, int expand_dbname))                           \
	X(connectPoll, int, (struct pg_conn * conn))                                                                   \
	X(status, int, (const struct pg_conn *conn))                                                                   \
	X(socket, int, (const struct pg_conn *conn))                                                                   \
	X(errorMessage, char *, (const struct pg_conn *conn))                                                          \
	X(parameterStatus, const char *, (const struct pg_conn *conn, const char *name))                               \
	X(serverVersion, int, (const struct pg_conn *conn))                                                            \
	X(setNoticeProcessor, void *,                                                                                  \
		(struct pg_conn * conn, void (*processor)(void *ctx, const char *text), void *ctx))                    \
	X(setnonblocking, int, (struct pg_conn * conn, int on))                                                        \
	X(sendQuery, int, (struct pg_conn * conn, const char *text))                                                   \
	X(sendQueryParams, int,                                                                                        \
		(struct pg_conn * conn, const char *text, int count, const unsigned *types, const char *const *values, \
			const int *lengths, const int *formats, int result_format))                                    \
	X(flush, int, (struct pg_conn * conn))                                                                         \
	X(consumeInput, int, (struct pg_conn * conn))                                                                  \
	X(isBusy, int, (struct pg_conn * conn))                                                                        \
	X(getResult, struct pg_result *, (struct pg_conn * conn))                                                      \
	X(notifies, struct pg_notify *, (struct pg_conn * conn))                                                       \
	X(getCancel, struct pg_cancel *, (struct pg_conn * conn))                                                      \
	X(cancel, int, (struct pg_cancel * cancel, char *error, int size))                                             \
	X(freeCancel, void, (struct pg_cancel * cancel))                                                               \
	X(finish, void, (struct pg_conn * conn))                                                                       \
	X(resultStatus, int, (const struct pg_result *result))                                                         \
	X(resultErrorField, char *, (const struct pg_result *result, int field))                                       \
	X(ntuples, int, (const struct pg_result *result))                                                              \
	X(nfields, int, (const struct pg_result *result))                                                              \
	X(getvalue, char *, (const struct pg_result *result, int row, int column))                                     \
	X(getlength, int, (const struct pg_result *result, int row, int column))                                       \
	X(getisnull, int, (const struct pg_result *result, int row, int column))                                       \
	X(clear, void, (struct pg_result * result))                                                                    \
	X(freemem, void, (void *p))

struct postgres_library {
#define X(member, type, parameters) type(*member) parameters;
	POSTGRES_FUNCTIONS(X)
#undef X
};

// ERR_UNSUPPORTED when it is not installed (with the package that brings it), ERR_DENIED when others than root may
// change it.
MUST_CHECK int postgres_library_get(const struct postgres_library **out, struct err *e);

#endif
