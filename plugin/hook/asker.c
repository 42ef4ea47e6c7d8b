/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks for a block: see hook/asker.h. */
#include "plugin/hook/asker.h"

#include <string.h>
#include <sys/prctl.h>

#include "plugin/core/thread_state.h"

/* So many contexts one after the other have compressed one block each. A thread that reads has that
 * many blocks compressed by the device before it is known as one. */
#define SINGLE_USES 4u

/* An output that is smaller than the block by less than this has the room that the compressed
 * secondary cache gives: one byte less than the block, and a few for a header. */
#define CACHE_HEADER_BYTES 16u

enum { NAME_UNKNOWN = 0, NAME_OTHER = 1, NAME_ROCKSDB = 2 };

bool rp_asker_is_rocksdb(void)
{
    static const char prefix[] = "rocksdb:";
    char name[17] = "";

    if (rp_thread.name == NAME_UNKNOWN) {
        prctl(PR_GET_NAME, name, 0, 0, 0);
        rp_thread.name = strncmp(name, prefix, sizeof(prefix) - 1) == 0 ? NAME_ROCKSDB : NAME_OTHER;
    }
    return rp_thread.name == NAME_ROCKSDB;
}

bool rp_asker_reads(struct rp_context *context, const rp_request *request)
{
    bool is_first = (context->flags & RP_CONTEXT_USED) == 0;

    context->flags |= is_first ? RP_CONTEXT_USED : RP_CONTEXT_REUSED;
    return is_first && rp_thread.single_uses >= SINGLE_USES &&
           request->output_capacity + CACHE_HEADER_BYTES >= request->input_size &&
           !rp_asker_is_rocksdb();
}

void rp_asker_note_freed(uint32_t flags)
{
    if ((flags & RP_CONTEXT_REUSED) != 0)
        rp_thread.single_uses = 0;
    else if ((flags & RP_CONTEXT_USED) != 0 && rp_thread.single_uses < SINGLE_USES)
        rp_thread.single_uses++;
}
