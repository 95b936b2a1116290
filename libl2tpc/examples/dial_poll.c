/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The smallest useful client: one session on poll(2), with the library's own control thread.
 *   dial_poll SERVER USER PSK-FILE PASSWORD-FILE
 * Secrets come from files: everybody may read the arguments of a process.
 */
#include <errno.h>
#include <l2tpc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static volatile sig_atomic_t interrupted;
static const char *psk_file, *password_file;
static int exit_status;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static void answer_need(l2tpc_session *session, const l2tpc_need *need)
{
    FILE *f = fopen(need->type == L2TPC_NEED_PSK ? psk_file : password_file, "rb");
    l2tpc_answer answer = {.size = sizeof(answer), .status = -ENOENT, .fd = -1};
    char secret[512];

    if (f) {
        setvbuf(f, NULL, _IONBF, 0); /* no second copy of the secret on the heap */
        answer.status = 0;
        answer.secret = secret;
        answer.secret_len = fread(secret, 1, sizeof(secret), f);
        if (answer.secret_len > 0 && secret[answer.secret_len - 1] == '\n')
            answer.secret_len--;
        (void)fclose(f);
    }
    (void)l2tpc_session_answer(session, need->id, &answer);
    explicit_bzero(secret, sizeof(secret));
}

static void print_error(const l2tpc_error *error)
{
    char text[1024];

    (void)l2tpc_error_message(error, NULL, text, sizeof(text));
    printf("failed: %s: %s\n", l2tpc_error_get_code(error), text);
    exit_status = l2tpc_error_get_exit_status(error);
}

/* False after the last event. */
static int take_event(l2tpc_session *session, const l2tpc_event *event)
{
    switch (l2tpc_event_get_type(event)) {
    case L2TPC_EVENT_STAGE_BEGIN:
        printf("stage: %s\n", l2tpc_event_get_stage(event));
        break;
    case L2TPC_EVENT_STAGE_END:
        printf("done: %s, %.1f ms\n", l2tpc_event_get_stage(event),
               l2tpc_event_get_stage_ms(event));
        break;
    case L2TPC_EVENT_NEED:
        answer_need(session, l2tpc_event_get_need(event));
        break;
    case L2TPC_EVENT_FAILED:
        print_error(l2tpc_event_get_error(event));
        break;
    case L2TPC_EVENT_DOWN:
        return 0;
    default:
        break;
    }
    (void)fflush(stdout);
    return 1;
}

static void run(l2tpc_session *session, const sigset_t *mask)
{
    struct pollfd p = {.fd = l2tpc_session_get_fd(session), .events = POLLIN};
    l2tpc_event *event;

    for (int more = 1; more;) {
        (void)ppoll(&p, 1, NULL, mask); /* signals arrive here and nowhere else */
        if (interrupted)
            l2tpc_session_stop(session); /* politely; DOWN follows */
        while (more && (event = l2tpc_session_next_event(session))) {
            more = take_event(session, event);
            l2tpc_event_free(event);
        }
    }
}

int main(int argc, char **argv)
{
    l2tpc_context *context = NULL;
    l2tpc_config *config = NULL;
    l2tpc_session *session = NULL;
    sigset_t blocked, old;

    if (argc != 5)
        return fprintf(stderr, "usage: %s SERVER USER PSK-FILE PASSWORD-FILE\n", argv[0]), 2;
    psk_file = argv[3];
    password_file = argv[4];
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigprocmask(SIG_BLOCK, &blocked, &old); /* before the library's thread starts */
    sigaction(SIGINT, &(struct sigaction){.sa_handler = on_signal}, NULL);
    exit_status = l2tpc_context_new(&context, NULL) || l2tpc_config_new(&config) ||
                  l2tpc_config_set_server(config, argv[1]) ||
                  l2tpc_config_set_user(config, argv[2], NULL) ||
                  l2tpc_session_new(&session, context, config) || l2tpc_session_start(session);
    if (exit_status == 0)
        run(session, &old);
    l2tpc_session_free(session);
    l2tpc_config_free(config);
    l2tpc_context_free(context);
    return exit_status;
}
