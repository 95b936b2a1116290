# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where the time of a dial went, read from a capture that was taken beside the client.

From what made the tunnel up we go back along the chain of causes. What the server sent was caused by
the last message of ours that could have reached it: one round trip, and whatever it took longer is
the server's own wait. What we sent was caused by the last message of the server's: the time between
is ours. So the length of the chain is exactly round trips + the server's waits + our own time."""
import guest
import judge as judging
from suite import check, sabotaged

AWAY = 25  # ms, each way

NAMES = {judging.SCCRQ: "SCCRQ", judging.SCCRP: "SCCRP", judging.SCCCN: "SCCCN",
         judging.ICRQ: "ICRQ", judging.ICRP: "ICRP", judging.ICCN: "ICCN"}
LAYERS = {judging.LCP: "LCP", judging.IPCP: "IPCP", judging.CHAP: "CHAP", judging.PAP: "PAP"}


class Event:
    def __init__(self, at, ours, name):
        self.at, self.ours, self.name = at, ours, name


def name_of(p):
    """What a packet says; None for what causes nothing, as an acknowledgement of L2TP alone."""
    kinds = judging.values(p, "l2tp.avp.message_type")
    if kinds:
        return NAMES.get(kinds[0])
    layer = LAYERS.get((judging.values(p, "ppp.protocol") + [""])[0])
    if layer:
        codes = [judging.values(p, f) for f in ("ppp.code", "chap.code", "pap.code")]
        return "%s %s" % (layer, (sum(codes, []) + [""])[0])
    exchange = judging.values(p, "isakmp.exchangetype")
    if exchange and exchange[0] in (judging.MAIN, judging.QUICK):
        return "main mode" if exchange[0] == judging.MAIN else "quick mode"
    return None


def events_of(capture, keys, client):
    found = []
    for p in judging.read(capture, keys, "isakmp or esp"):
        name = name_of(p)
        if name:
            found.append(Event(float(p["frame.time_epoch"]),
                               judging.outer(p, "src") == client, name))
    # PPP is up with the second of the two acknowledgements of IPCP.
    last = {e.ours: i for i, e in enumerate(found) if e.name == "IPCP 2"}
    check(len(last) == 2, "IPCP was not acknowledged by both")
    return found[:max(last.values()) + 1]


class Parts:
    def __init__(self):
        self.trips, self.server, self.ours, self.held, self.steps = 0, 0.0, 0.0, 0.0, []


def parts_of(events, rtt, floor):
    """`floor` is what no answer can be faster than: the delay that the lab makes."""
    parts, at = Parts(), len(events) - 1
    while at > 0:
        event = events[at]
        latest = event.at - (0 if event.ours else floor)
        cause = next((i for i in range(at - 1, -1, -1)
                      if events[i].ours != event.ours and events[i].at <= latest), None)
        if cause is None and event.ours:
            break  # the first message
        check(cause is not None, "nothing of ours could have caused the server's %s" % event.name)
        took = event.at - events[cause].at
        if event.ours:
            if event.name == "SCCRQ":  # held until the server's kernel has its SAs
                parts.held += took
            else:
                parts.ours += took
        else:
            parts.trips += 1
            parts.server += max(0.0, took - rtt)
        parts.steps.append("%s %s %.1f" % ("us" if event.ours else "server", event.name,
                                           1e3 * (took if event.ours else took - rtt)))
        at = cause
    parts.steps.reverse()
    parts.total = events[-1].at - events[0].at
    return parts


def dial_apart(lab, client, show=False):
    """One dial at 25 ms each way, taken apart on the wire."""
    capture = lab.Capture()
    d = lab.dial(client)
    stages = d.wait_up(30)["stages"]
    d.stop()
    capture.judge([d], polite=True)
    rtt = client.round_trip()
    events = events_of(capture.file, judging.load_keys(d.keylog), client.address)
    parts = parts_of(events, rtt, min(rtt, 2 * AWAY / 1e3) - 0.0005)
    parts.rtt, parts.stages = rtt, sum(s["ms"] for s in stages if s["stage"] != "up") / 1e3
    print("    %.0f ms: %d round trips of %.1f ms, %.1f ms waited by the server, %.1f ms held for "
          "its kernel, %.1f ms ours; by the dial's own clock %.0f ms"
          % (1e3 * parts.total, parts.trips, 1e3 * rtt, 1e3 * parts.server, 1e3 * parts.held,
             1e3 * parts.ours, 1e3 * parts.stages))
    if show:
        print("    beyond the round trips, in ms: " + ", ".join(parts.steps))
    check(parts.trips <= 11 and not sabotaged(), "%d round trips: %s" % (parts.trips, parts.steps))
    return parts


def cases(lab):
    """The rows of the suite; `lab` is the suite's own module."""
    @lab.case("strongswan+ike-aes256+esp-aes-sha1", in_short=True)
    def dial_time_in_round_trips():
        """Counted on the wire, so that a busy machine changes nothing."""
        guest.delay(AWAY)
        try:
            dial_apart(lab, lab.Client())
        finally:
            guest.delay(0)

    @lab.case("strongswan+ike-aes256+esp-aes-sha1")
    def dial_time():
        """11.5 round trips and 15 ms, and what the server waits by itself; the median of five."""
        client = lab.Client()
        first = lab.dial(client)  # wakes the server's modules
        first.wait_up(30)
        first.stop()
        guest.delay(AWAY)
        try:
            parts = [dial_apart(lab, client, show=True) for _ in range(5)]
        finally:
            guest.delay(0)
        over = 1e3 * sorted(p.stages - p.server - p.held - 11.5 * p.rtt for p in parts)[2]
        print("    the dial less the server's waits is 11.5 round trips %+.1f ms" % over)
        check(over <= 15, "%.1f ms above 11.5 round trips" % over)
