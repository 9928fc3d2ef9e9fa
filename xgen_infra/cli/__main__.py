"""`python -m xgen_infra.cli`: the `xgen` command."""

from xgen_infra.cli import main

main()
