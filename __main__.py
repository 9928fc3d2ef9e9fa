from xgen_infra.delivery.handover import refuse_return
from xgen_infra.load import load
from xgen_infra.stack import build

site, credentials = load()
refuse_return(site)
outputs = build(site, credentials)
outputs.export()
