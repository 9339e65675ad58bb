// SPDX-License-Identifier: Apache-2.0
// The table of commands that talk to the control plane. main.c adds the entries of processes.
#include "cli/cli_impl.h"

const struct command *const cli_commands[] = {
	&validate_command,
	&plan_command,
	&apply_command,
	&destroy_command,
	&approve_command,
	&adopt_command,
	&explain_command,
	&schema_command,
	&guards_command,
	&permissions_command,
	&run_command,
	&deploy_command,
	&rollback_command,
	&status_command,
	&down_command,
	&models_command,
	&endpoints_command,
	&alerts_command,
	&override_command,
	&overrides_command,
	&overrides_end_command,
	&events_command,
	&cost_command,
	&audit_verify_command,
	&report_command,
	&data_ls_command,
	&data_cp_command,
	&data_cat_command,
	&data_rm_command,
	&reference_command,
	&completion_command,
};
const size_t cli_command_count = COUNT_OF(cli_commands);
