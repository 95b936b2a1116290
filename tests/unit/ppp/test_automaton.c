/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every cell of the automaton against RFC 1661 4.1, in the notation of the figure. */
#include "check.h"
#include "ppp/automaton.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const figure[16][10] = {
    /* Up   */ {"2", "irc,scr/6", "-", "-", "-", "-", "-", "-", "-", "-"},
    /* Down */ {"-", "-", "0", "tls/1", "0", "1", "1", "1", "1", "tld/1"},
    /* Open */ {"tls/1", "1", "irc,scr/6", "3r", "5r", "5r", "6", "7", "8", "9r"},
    /* Close*/
    {"0", "tlf/0", "2", "2", "4", "4", "irc,str/4", "irc,str/4", "irc,str/4", "tld,irc,str/4"},
    /* TO+  */ {"-", "-", "-", "-", "str/4", "str/5", "scr/6", "scr/6", "scr/8", "-"},
    /* TO-  */ {"-", "-", "-", "-", "tlf/2", "tlf/3", "tlf/3p", "tlf/3p", "tlf/3p", "-"},
    /* RCR+ */
    {"-", "-", "sta/2", "irc,scr,sca/8", "4", "5", "sca/8", "sca,tlu/9", "sca/8", "tld,scr,sca/8"},
    /* RCR- */
    {"-", "-", "sta/2", "irc,scr,scn/6", "4", "5", "scn/6", "scn/7", "scn/6", "tld,scr,scn/6"},
    /* RCA  */
    {"-", "-", "sta/2", "sta/3", "4", "5", "irc/7", "scr/6x", "irc,tlu/9", "tld,scr/6x"},
    /* RCN  */
    {"-", "-", "sta/2", "sta/3", "4", "5", "irc,scr/6", "scr/6x", "irc,scr/8", "tld,scr/6x"},
    /* RTR  */
    {"-", "-", "sta/2", "sta/3", "sta/4", "sta/5", "sta/6", "sta/6", "sta/6", "tld,zrc,sta/5"},
    /* RTA  */ {"-", "-", "2", "3", "tlf/2", "tlf/3", "6", "6", "8", "tld,scr/6"},
    /* RUC  */
    {"-", "-", "scj/2", "scj/3", "scj/4", "scj/5", "scj/6", "scj/7", "scj/8", "scj/9"},
    /* RXJ+ */ {"-", "-", "2", "3", "4", "5", "6", "6", "8", "9"},
    /* RXJ- */
    {"-", "-", "tlf/2", "tlf/3", "tlf/2", "tlf/3", "tlf/3", "tlf/3", "tlf/3", "tld,irc,str/5"},
    /* RXR  */ {"-", "-", "2", "3", "4", "5", "6", "7", "8", "ser/9"},
};

static const struct {
    const char *name;
    unsigned bit;
} actions[] = {
    {"tld", CP_TLD}, {"irc", CP_IRC}, {"zrc", CP_ZRC}, {"scr", CP_SCR}, {"sca", CP_SCA},
    {"scn", CP_SCN}, {"str", CP_STR}, {"sta", CP_STA}, {"scj", CP_SCJ}, {"ser", CP_SER},
    {"tlu", CP_TLU}, {"tls", CP_TLS}, {"tlf", CP_TLF},
};

static unsigned parse_actions(const char *cell)
{
    const char *slash = strchr(cell, '/');
    unsigned bits = 0;

    while (slash && cell < slash) {
        for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
            if (strncmp(cell, actions[i].name, 3) == 0)
                bits |= actions[i].bit;
        cell += 4;
    }
    return bits;
}

static unsigned parse_next(const char *cell)
{
    const char *slash = strchr(cell, '/');

    return cell[0] == '-' ? CP_ILLEGAL : (unsigned)((slash ? slash[1] : cell[0]) - '0');
}

TEST(ppp_automaton_is_the_figure_of_rfc1661)
{
    unsigned cells = 0;

    CHECK_INT(CP_EVENTS, 16);
    CHECK_INT(CP_STATES, 10);
    for (unsigned e = 0; e < CP_EVENTS; e++) {
        for (unsigned s = 0; s < CP_STATES; s++) {
            const struct cp_cell *got = cp_cell((enum cp_state)s, (enum cp_event)e);

            if (got->actions != parse_actions(figure[e][s]) ||
                got->next != parse_next(figure[e][s])) {
                check_fail(__FILE__, __LINE__, "event %u state %u is not %s", e, s, figure[e][s]);
                return;
            }
            cells++;
        }
    }
    CHECK_INT(cells, 160);
}
