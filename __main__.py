from xgen_infra.load import load
from xgen_infra.stack import build

site, credentials = load()
outputs = build(site, credentials)
outputs.export()
