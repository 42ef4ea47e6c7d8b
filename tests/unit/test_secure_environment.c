/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program that runs with more rights than its caller: none of our variables is honoured there.
 * The case starts a copy of this program twice, with every variable that the configuration knows
 * set to something else than its default: as it is, which shows that the variables have an effect,
 * and as another user's setuid program. The names come from the source, so that no variable can be
 * forgotten here.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/cases.h"

#include "plugin/core/config.h"
#include "rockpress/device.h"
#include "rockpress/plugin.h"
#include "tests/support/sanitizers.h"

#define OTHER_USER 65534
#define MAX_VARIABLES 64
#define NO_LIBRARY "/nonexistent/chosen.so"

/* Exit statuses of the copy. */
enum { NOT_SECURE = 10, ALL_DEFAULT = 11, BROKEN = 12 };
/* Not all default: this plus how many variables had an effect. */
enum { EFFECTS = 100 };

static char *variables[MAX_VARIABLES + 1];
static unsigned n_variables;

/* A value that the variable may have and that is not its default. */
static void add_variable(const char *name)
{
    static const char *const values[] = {"/dev/null", "off",  "on",      "host", "1",
                                         "2",         "4096", "8388608", "3",    "fast",
                                         "cpu",       "all",  "device",  "info"};
    rp_plugin_config defaults, config;
    rp_plugin_config_default(&defaults, sizeof(defaults));
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char *variable;
        config = defaults;
        if (rp_plugin_config_set(&config, name, values[i], NULL) != RP_STATUS_OK ||
            memcmp(&config, &defaults, sizeof(config)) == 0)
            continue;
        assert_true(n_variables < MAX_VARIABLES);
        assert_true(asprintf(&variable, "%s=%s", name, values[i]) > 0);
        variables[n_variables++] = variable;
        return;
    }
    fail_msg("%s: no value here is allowed and not its default", name);
}

static void find_variables(void)
{
    FILE *source = fopen(CONFIG_SOURCE, "r");
    char line[256], name[64] = "ROCKPRESS_";
    assert_non_null(source);
    while (fgets(line, sizeof(line), source) != NULL) {
        if (sscanf(line, " {\"%48[A-Z_]\", KIND_", name + 10) == 1)
            add_variable(name);
    }
    fclose(source);
    assert_true(n_variables > 15);
}

/* How many fields of the configuration that is in force are not the default, at least. */
static unsigned count_effects(void)
{
    const rp_plugin_config *config = rp_config_read();
    rp_plugin_config defaults;
    unsigned n = 0;
    rp_plugin_config_default(&defaults, sizeof(defaults));
    for (char **entry = environ; *entry != NULL; entry++) {
        char name[64];
        rp_plugin_config with = defaults, both = *config;
        if (sscanf(*entry, "%63[A-Z_]=", name) != 1 || strncmp(name, "ROCKPRESS_", 10) != 0 ||
            rp_plugin_config_set(&with, name, strchr(*entry, '=') + 1, NULL) != RP_STATUS_OK)
            continue;
        /* Set once more, it changes nothing: it is what is in force. */
        rp_plugin_config_set(&both, name, strchr(*entry, '=') + 1, NULL);
        n += memcmp(&both, config, sizeof(both)) == 0;
    }
    return n;
}

/* Whether the library was looked for where the variable says. */
static bool is_library_chosen(void)
{
    rp_device_info infos[8] = {RP_DEVICE_INFO_INIT};
    size_t n = rp_device_list(infos, 8);
    for (size_t i = 0; i < n && i < 8; i++) {
        if (strstr(infos[i].reason, NO_LIBRARY) != NULL)
            return true;
    }
    return false;
}

static int be_the_copy(const char *expected)
{
    rp_plugin_config defaults;
    bool is_secure = getauxval(AT_SECURE) != 0;
    unsigned n;
    if (is_secure != (strcmp(expected, "secure") == 0))
        return NOT_SECURE;
    n = count_effects() + is_library_chosen();
    if (n != 0)
        return EFFECTS + (int)n;
    rp_plugin_config_default(&defaults, sizeof(defaults));
    return memcmp(rp_config_read(), &defaults, sizeof(defaults)) == 0 ? ALL_DEFAULT : BROKEN;
}

static void copy_program(const char *path, mode_t mode, uid_t owner)
{
    struct stat status;
    int from = open("/proc/self/exe", O_RDONLY), to = open(path, O_WRONLY | O_CREAT | O_EXCL, 0700);
    assert_true(from >= 0 && to >= 0 && fstat(from, &status) == 0);
    for (off_t left = status.st_size; left > 0;) {
        ssize_t n = sendfile(to, from, NULL, (size_t)left);
        assert_true(n > 0);
        left -= n;
    }
    /* In this order: a change of the owner clears the bit. */
    assert_int_equal(fchown(to, owner, (gid_t)-1), 0);
    assert_int_equal(fchmod(to, mode), 0);
    close(from);
    close(to);
}

static int run_copy(const char *path, const char *expected)
{
    char *arguments[] = {(char *)(uintptr_t)path, "--copy", (char *)(uintptr_t)expected, NULL};
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        execve(path, arguments, variables);
        _exit(BROKEN);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_setuid(void **state)
{
    (void)state;
    char folder[] = "secure_environment_XXXXXX";
    char path[64];
    int as_it_is, as_setuid;
    if (TEST_ADDRESS_SANITIZER)
        skip_case("LeakSanitizer cannot look into a setuid program");
    if (geteuid() != 0)
        skip_case("only root can make another user's setuid program");
    find_variables();
    variables[n_variables] = "ROCKPRESS_CUDA_LIBRARY=" NO_LIBRARY;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    snprintf(path, sizeof(path), "%s/copy", folder);
    copy_program(path, 0755, 0);
    as_it_is = run_copy(path, "insecure");
    assert_int_equal(unlink(path), 0);
    copy_program(path, 04755, OTHER_USER);
    as_setuid = run_copy(path, "secure");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(as_it_is, EFFECTS + n_variables + 1);
    if (as_setuid == NOT_SECURE)
        skip_case("the file system here ignores setuid");
    assert_int_equal(as_setuid, ALL_DEFAULT);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setuid),
    };
    if (argc == 3 && strcmp(argv[1], "--copy") == 0)
        return be_the_copy(argv[2]);
    return RUN_CASES(argc, argv, tests, NULL, NULL);
}
