/* SPDX-License-Identifier: Apache-2.0 */
/* The names of devices that a configuration may have. */
#ifndef ROCKPRESS_PLUGIN_CORE_DEVICE_NAME_H
#define ROCKPRESS_PLUGIN_CORE_DEVICE_NAME_H

/*
 * NULL if a device may have this name, else what is allowed, for the text of an error. That text is
 * valid until the thread calls again. Any thread. A file of its own, so that the linker can put
 * another function in its place: tests have devices that no release has.
 */
const char *rp_device_name_refused(const char *name);

#endif
