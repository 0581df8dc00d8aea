/* A logical decoding output plugin: one short message for each begin, change and commit, and no options.
 *
 * psycopg2's replication tests ask the server for `test_decoding`, which is a contrib module, and the
 * embedded server has no contrib. They look at when messages come and never at what is in them.
 */
#include "postgres.h"

#include "fmgr.h"
#include "replication/logical.h"
#include "replication/output_plugin.h"

PG_MODULE_MAGIC;

extern PGDLLEXPORT void _PG_output_plugin_init(OutputPluginCallbacks *callbacks);

static void
write_message(LogicalDecodingContext *ctx, const char *message)
{
	OutputPluginPrepareWrite(ctx, true);
	appendStringInfoString(ctx->out, message);
	OutputPluginWrite(ctx, true);
}

static void
on_startup(LogicalDecodingContext *ctx, OutputPluginOptions *options, bool is_init)
{
	options->output_type = OUTPUT_PLUGIN_TEXTUAL_OUTPUT;
	if (ctx->output_plugin_options != NIL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("this output plugin has no options")));
}

static void
on_begin(LogicalDecodingContext *ctx, ReorderBufferTXN *txn)
{
	write_message(ctx, "begin");
}

static void
on_change(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, Relation relation, ReorderBufferChange *change)
{
	write_message(ctx, RelationGetRelationName(relation));
}

static void
on_commit(LogicalDecodingContext *ctx, ReorderBufferTXN *txn, XLogRecPtr commit_lsn)
{
	write_message(ctx, "commit");
}

void
_PG_output_plugin_init(OutputPluginCallbacks *callbacks)
{
	callbacks->startup_cb = on_startup;
	callbacks->begin_cb = on_begin;
	callbacks->change_cb = on_change;
	callbacks->commit_cb = on_commit;
}
