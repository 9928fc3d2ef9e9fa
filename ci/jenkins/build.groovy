// What both pipelines have in common. Every site, registry and credential id comes from the xgen command.

/** Everything that `xgen sites --json` says; what it says of wrong files goes to the log. */
Map sites() {
    def known = readJSON(text: sh(script: 'ci/xgen sites --json', returnStdout: true), returnPojo: true)
    // A list of names: the entries of a map cannot be kept over a restart of Jenkins, as steps in a loop demand.
    known.refused.keySet().collect { it }.each { site ->
        echo "Left out: ${site}\n${known.refused[site].join('\n')}"
    }
    return known
}

/** The build targets as `xgen build-plan --json` prints them: maps. `options` are its site, branch and service. */
List targets(Map<String, String> options) {
    def names = ['site', 'branch', 'service']
    return withEnv(names.collect { "PLAN_${it.toUpperCase()}=${options[it] ?: ''}".toString() }) {
        def text = sh returnStdout: true, script: '''ci/xgen build-plan --json ${PLAN_SITE:+"--site=$PLAN_SITE"} \
            ${PLAN_BRANCH:+"--branch=$PLAN_BRANCH"} ${PLAN_SERVICE:+"--service=$PLAN_SERVICE"}'''
        return readJSON(text: text, returnPojo: true).targets
    }
}

/** Check a branch of a service's repository out into `source`; return its commit. */
String source(String service, String branch) {
    if (!env.XGEN_SERVICES_URL) {
        error 'XGEN_SERVICES_URL is not set: give the folder of these jobs the URL below which the services\' repositories are'
    }
    return dir('source') {
        def remote = [url: "${env.XGEN_SERVICES_URL}/${service}.git".toString(), credentialsId: servicesCredential()]
        return checkout([
            $class: 'GitSCM',
            branches: [[name: "refs/heads/${branch}".toString()]],
            userRemoteConfigs: [remote],
            extensions: [[$class: 'CloneOption', shallow: true, depth: 1, noTags: true]],
        ]).GIT_COMMIT
    }
}

/** Build `source` for one image of one target, push it, and pin it in the files of the target's stacks. */
void deliver(Map target, Map image, String branch, String commit) {
    def tag = "${commit.substring(0, 12)}-${image.arch}"
    def words = [
        "SITE=${target.site}",
        "SERVICE=${image.service}",
        "BRANCH=${branch}",
        "COMMIT=${commit}",
        "PLATFORM=${image.platform}",
        "MOVING=${image.reference}",
        "TAG=${tag}",
        "BUILT=${image.repository}:${tag}",
        "DOCKER_CONFIG=${pwd(tmp: true)}/docker-${target.site}-${image.service}",
    ]
    withEnv(words.collect { it.toString() }) {
        try {
            entering(target) { sh label: 'Log in', script: 'ci/xgen registry-login "$SITE"' }
            sh label: 'Build', script: '''docker build --pull --platform "$PLATFORM" \
                --label "org.opencontainers.image.revision=$COMMIT" --tag "$BUILT" --tag "$MOVING" source'''
            sh label: 'Push', script: 'docker push "$BUILT"'
            if (!newest()) {
                echo "${branch} has a newer commit than ${commit}: that one's build moves the tag and is promoted"
                return
            }
            sh label: 'Move the tag', script: 'docker push "$MOVING"'
            entering(target) { target.promote.each { stack -> promote(stack) } }
        } finally {
            sh label: 'Forget the login', script: 'rm -rf "$DOCKER_CONFIG"'
        }
    }
}

/** Pin the image just pushed in one stack's file, on the branch of this repository that was checked out. */
void promote(String stack) {
    def branch = (env.XGEN_BRANCH ?: 'main')
    withCredentials([gitUsernamePassword(credentialsId: env.XGEN_GIT_CREDENTIAL ?: 'xgen-infra-git')]) {
        withEnv(["STACK=${stack}".toString(), "ONTO=${branch}".toString()]) {
            sh label: 'Promote', script: 'ci/xgen promote "$STACK" "$SERVICE=$TAG" --push --branch "$ONTO"'
        }
    }
}

/** Run steps with the target's registry credential in the variables that the program reads; with none if it needs none. */
void entering(Map target, Closure steps) {
    def registry = target.registry
    if (!registry.variables) {
        steps()
        return
    }
    withCredentials([usernamePassword(
        credentialsId: registry.credentialId,
        usernameVariable: registry.variables.username,
        passwordVariable: registry.variables.password,
    )]) {
        steps()
    }
}

/** Whether the branch still is at the commit that was built: an older build must not overtake a newer one. */
boolean newest() {
    return dir('source') {
        return withCredentials([gitUsernamePassword(credentialsId: servicesCredential())]) {
            def head = sh(script: 'git ls-remote --exit-code origin "refs/heads/$BRANCH"', returnStdout: true)
            return head.startsWith(env.COMMIT)
        }
    }
}

String servicesCredential() {
    return env.XGEN_SERVICES_CREDENTIAL ?: 'xgen-services-git'
}

return this
