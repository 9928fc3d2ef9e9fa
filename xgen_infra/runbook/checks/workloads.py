"""Checks on the six services and what delivers them."""

from __future__ import annotations

from collections.abc import Callable

from kubernetes import client

from xgen_infra import catalog
from xgen_infra.delivery.values import GENERATION_PREFIX
from xgen_infra.health import Judge, pods
from xgen_infra.runbook.checks.read import (
    all_right,
    condition,
    count,
    objects,
    of_the_six,
    one_object,
)
from xgen_infra.runbook.facts import listed
from xgen_infra.runbook.scene import Scene
from xgen_infra.runbook.step import CheckFailedError


def services_good(scene: Scene) -> str:
    """See the six services as `xgen wait` judges them."""
    verdicts = Judge(scene.api, scene.facts).look()
    wrong = [f"{one.service}: {'; '.join([one.state, *one.reasons])}" for one in verdicts if not one.good]
    return all_right(wrong, f"{len(verdicts)} of {len(catalog.NAMES)} services are well")


def pods_at_peace(scene: Scene) -> str:
    """See no pod of the six in trouble."""
    running = of_the_six(
        objects(scene, client.CoreV1Api(scene.api).list_namespaced_pod, scene.facts.namespace)
    )
    restarts = sum(
        status.get("restartCount", 0)
        for pod in running
        for status in (pod.get("status") or {}).get("containerStatuses") or []
    )
    return all_right(
        pods.problems(running), f"{count(running, 'pod')} ready, {restarts} restarts since they began"
    )


def argocd_server(scene: Scene) -> str:
    """See the server behind Argo CD's interface ready."""
    namespace = scene.facts.text("argocd", "namespace")
    found = one_object(
        scene, client.AppsV1Api(scene.api).read_namespaced_deployment, "argocd-server", namespace
    )
    if found is None:
        raise CheckFailedError(f"no Deployment argocd-server in the namespace {namespace}")
    rolled = pods.rollout(found)
    seen = f"argocd-server: {rolled.ready} of {rolled.wanted} ready"
    return all_right([] if rolled.complete and rolled.wanted else [seen], seen)


def images(scene: Scene) -> str:
    """See each service run an image of its own repository, and say which."""
    wrong, seen = [], []
    for name, running in _running_images(scene).items():
        expected = str(scene.facts.get("images", name) or "")
        if _repository(running) != _repository(expected):
            wrong.append(f"{name} runs {running}, expected one of {_repository(expected)}")
        seen.append(f"{name} {running.removeprefix(_repository(running))}")
    missing = sorted(set(catalog.NAMES) - set(_running_images(scene)))
    wrong += [f"no Deployment {name}" for name in missing]
    return all_right(wrong, ", ".join(seen))


def _running_images(scene: Scene) -> dict[str, str]:
    deployments = objects(
        scene, client.AppsV1Api(scene.api).list_namespaced_deployment, scene.facts.namespace
    )
    return {
        one["metadata"]["name"]: one["spec"]["template"]["spec"]["containers"][0]["image"]
        for one in deployments
        if one["metadata"]["name"] in catalog.NAMES
    }


def _repository(image: str) -> str:
    """Return an image's name without `@digest` or `:tag`; a port is part of the name."""
    name = image.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name


def scaling(scene: Scene) -> str:
    """See every autoscaler get its metrics, and every pod have found a node."""
    api, namespace = scene.api, scene.facts.namespace
    autoscalers = objects(
        scene, client.AutoscalingV2Api(api).list_namespaced_horizontal_pod_autoscaler, namespace
    )
    wrong, seen = [], []
    for one in autoscalers:
        active = condition(one, "ScalingActive")
        name, status = one["metadata"]["name"], one.get("status") or {}
        if active.get("status") == "False" and active.get("reason") != "ScalingDisabled":
            wrong.append(
                f"autoscaler {name}: {active.get('reason')}: {pods.brief(active.get('message', ''))}"
            )
        seen.append(f"{name} {status.get('currentReplicas', 0)} of at most {one['spec']['maxReplicas']}")
    for pod in of_the_six(objects(scene, client.CoreV1Api(api).list_namespaced_pod, namespace)):
        scheduled = condition(pod, "PodScheduled")
        if scheduled.get("status") == "False":
            wrong.append(f"pod {pod['metadata']['name']}: {pods.brief(scheduled.get('message', ''))}")
    return all_right(wrong, ", ".join(seen) or "no autoscaler: the replicas are the file's")


def generation(secret: str, key: str) -> Callable[[Scene], str]:
    """Return a check that every pod of the six carries a Secret's generation; `key` is its name in the outputs."""

    def look(scene: Scene) -> str:
        expected = scene.facts.text("generations", key)
        running = of_the_six(
            objects(scene, client.CoreV1Api(scene.api).list_namespaced_pod, scene.facts.namespace)
        )
        annotation = f"{GENERATION_PREFIX}{secret}"
        older = [
            one["metadata"]["name"]
            for one in running
            if (one["metadata"].get("annotations") or {}).get(annotation) != expected
        ]
        if not running:
            raise CheckFailedError("no pod of the six services is there")
        wrong = [f"not of generation {expected}: {listed(older)}"] if older else []
        return all_right(wrong, f"{count(running, 'pod')}, all of generation {expected} of {secret}")

    return look


def pull_secret(scene: Scene) -> str:
    """See the pull secret there, and no pod that waits for an image."""
    secret = scene.facts.text("registry", "secret")
    found = one_object(
        scene, client.CoreV1Api(scene.api).read_namespaced_secret, secret, scene.facts.namespace
    )
    if found is None:
        raise CheckFailedError(f"no Secret {secret} in the namespace {scene.facts.namespace}")
    running = of_the_six(
        objects(scene, client.CoreV1Api(scene.api).list_namespaced_pod, scene.facts.namespace)
    )
    wrong = [said for said in pods.problems(running) if "ImagePull" in said or "ErrImage" in said]
    return all_right(wrong, f"Secret {secret} is there, no pod waits for an image")


def hosts(scene: Scene) -> str:
    """See the services use the data services that the outputs name."""
    wrong = []
    expected = {
        f"{service.upper()}_HOST": scene.facts.text("hosts", service)
        for service in ("postgres", "redis", "qdrant")
    }
    for name in catalog.NAMES:
        found = one_object(
            scene,
            client.CoreV1Api(scene.api).read_namespaced_config_map,
            f"{name}-env",
            scene.facts.namespace,
        )
        data = (found or {}).get("data") or {}
        wrong += [
            f"{name}: {key} is {data.get(key) or 'not set'}, expected {host}"
            for key, host in expected.items()
            if data.get(key) != host
        ]
    return all_right(wrong, ", ".join(f"{key} {host}" for key, host in expected.items()))


def ingresses(scene: Scene) -> str:
    """See each Ingress have an address."""
    found = objects(scene, client.NetworkingV1Api(scene.api).list_namespaced_ingress, scene.facts.namespace)
    if not found:
        raise CheckFailedError("no Ingress is there")
    wrong, seen = [], []
    for one in found:
        given = (((one.get("status") or {}).get("loadBalancer") or {}).get("ingress")) or []
        addresses = [str(item.get("hostname") or item.get("ip")) for item in given]
        name = one["metadata"]["name"]
        if addresses:
            seen.append(f"{name} at {listed(addresses)}")
        else:
            wrong.append(f"{name} has no address yet")
    return all_right(wrong, ", ".join(seen))
