# SPDX-License-Identifier: LGPL-2.1-or-later
"""The command: wherever its secrets come from, they show up nowhere."""
