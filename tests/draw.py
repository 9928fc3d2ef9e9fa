"""Which fields a usual run tries: the same ones each time.

XGEN_SEED=NUMBER draws others, XGEN_RANDOM=1 others each day; with XGEN_EVERY_FIELD=1 there is no draw.
"""

import os
from datetime import UTC, datetime

EVERY = os.environ.get("XGEN_EVERY_FIELD") == "1"
_TODAY = datetime.now(UTC).toordinal() if os.environ.get("XGEN_RANDOM") else 0
SEED = int(os.environ.get("XGEN_SEED") or _TODAY)
