// Runs a pipeline script outside Jenkins with the steps that this project's pipelines use. `sh` and `checkout` really
// run; `parallel` runs in threads. What it cannot show: Jenkins' CPS transformation, its sandbox, its plugins' own code.
// Usage: GroovyMain Runner.groovy SCENARIO.json OUTCOME.json
import groovy.json.JsonOutput
import groovy.json.JsonSlurperClassic
import org.codehaus.groovy.control.CompilerConfiguration

class Failure extends RuntimeException {
    Failure(String message) { super(message) }
}

/** Where a thread of the pipeline is: its environment, its folder, its workspace. */
class Place {
    static final ThreadLocal<Place> HERE = new ThreadLocal<Place>()
    Map<String, String> env = [:]
    File folder
    File workspace

    static Place here() { return HERE.get() }

    static def within(Map changes, Closure steps) {
        def before = here()
        HERE.set(new Place([env: before.env, folder: before.folder, workspace: before.workspace] + changes))
        try {
            return steps()
        } finally {
            HERE.set(before)
        }
    }
}

class Env {
    def getProperty(String name) { return Place.here().env[name] }
}

class Build {
    String result
    String description
}

class World {
    static Map scenario
    static File root
    static File log
    static final List<Map> EVENTS = Collections.synchronizedList([])
    static int workspaces = 0
    static GroovyShell shell

    static synchronized File workspace() {
        def folder = new File(root, "workspace-${++workspaces}")
        folder.mkdirs()
        return folder
    }

    static synchronized void say(Object text) { log << "${text}\n" }

    static void event(Map what) { EVENTS << what }

    static Map credential(String id) {
        def found = scenario.credentials[id]
        if (!found) throw new Failure("Could not find credentials entry with ID '${id}'")
        return found
    }

    /** Run a program; return its output. Its errors go to the build's log, as in Jenkins. */
    static String run(List<String> command, boolean keep, Map<String, String> more = [:]) {
        def place = Place.here()
        def builder = new ProcessBuilder(command.collect { it.toString() }).directory(place.folder)
        builder.environment().clear()
        builder.environment().putAll(scenario.machine + place.env + more)
        def errors = File.createTempFile('errors', '.txt', root)
        builder.redirectError(errors)
        def process = builder.start()
        process.outputStream.close()
        def output = process.inputStream.text
        def status = process.waitFor()
        say(errors.text + (keep ? '' : output))
        errors.delete()
        if (status != 0) throw new Failure("script returned exit code ${status}")
        return output
    }
}

abstract class Steps extends Script {
    // Control flow
    def node(String label, Closure steps) {
        World.event(step: 'node', label: label)
        def folder = World.workspace()
        return Place.within([folder: folder, workspace: folder], steps)
    }

    def stage(String name, Closure steps) {
        World.event(step: 'stage', name: name)
        return steps()
    }

    def parallel(Map branches) {
        def failures = Collections.synchronizedList([])
        def place = Place.here()
        def threads = branches.collect { name, steps ->
            Thread.start(name.toString()) {
                Place.HERE.set(place)
                try {
                    steps()
                } catch (Throwable failure) {
                    World.say("Failed in branch ${name}: ${failure.message}")
                    failures << failure
                }
            }
        }
        threads*.join()
        if (failures) throw failures[0]
    }

    def error(Object message) { throw new Failure(message.toString()) }

    def echo(Object message) { World.say(message) }

    // Files and programs
    def dir(String path, Closure steps) {
        def folder = new File(Place.here().folder, path)
        folder.mkdirs()
        return Place.within([folder: folder], steps)
    }

    def pwd(Map options = [:]) {
        if (!options.tmp) return Place.here().folder.path
        def folder = new File("${Place.here().workspace.path}@tmp")
        folder.mkdirs()
        return folder.path
    }

    def sh(Object what) {
        def options = what instanceof Map ? what : [script: what]
        def unknown = options.keySet() - ['script', 'label', 'returnStdout']
        if (unknown || !(options.script instanceof String)) throw new Failure("sh takes no ${unknown ?: options.script.class}")
        if (!Place.here().workspace) throw new Failure('sh outside of a node')
        def file = File.createTempFile('script', '.sh', World.root)
        file.text = options.script
        World.event(step: 'sh', script: options.script, label: options.label)
        try {
            def output = World.run(['sh', '-xe', file.path], options.returnStdout as boolean)
            return options.returnStdout ? output : null
        } finally {
            file.delete()
        }
    }

    def load(String path) {
        def file = new File(Place.here().folder, path)
        synchronized (World) {
            return World.shell.parse(file).run()
        }
    }

    def readJSON(Map options) {
        if (!options.returnPojo) throw new Failure('readJSON gives net.sf.json objects, whose null is true: use returnPojo')
        return new JsonSlurperClassic().parseText(options.text)
    }

    // Git
    def checkout(Map source) {
        def own = source.is(World.scenario.scm)
        def remote = own ? source : source.userRemoteConfigs[0]
        def branch = own ? "refs/heads/${source.branch}" : source.branches[0].name
        if (!own && source['$class'] != 'GitSCM') throw new Failure("no SCM ${source['$class']}")
        World.credential(remote.credentialsId)
        World.event(step: 'checkout', url: remote.url, branch: branch, credential: remote.credentialsId)
        if (!new File(Place.here().folder, '.git').exists()) World.run(['git', 'init', '--quiet'], false)
        World.run(['git', 'config', 'remote.origin.url', remote.url], false)
        World.run(['git', 'fetch', '--quiet', '--depth=1', 'origin', branch], false)
        World.run(['git', 'checkout', '--quiet', '--force', '--detach', 'FETCH_HEAD'], false)
        return [GIT_COMMIT: World.run(['git', 'rev-parse', 'HEAD'], true).trim()]
    }

    // Environment and credentials
    def withEnv(List values, Closure steps) {
        if (values.any { !(it instanceof String) }) throw new Failure('withEnv takes plain strings')
        def added = values.collectEntries { it.split('=', 2) as List }
        return Place.within([env: Place.here().env + added], steps)
    }

    def usernamePassword(Map options) { return [kind: 'usernamePassword'] + options }

    def gitUsernamePassword(Map options) { return [kind: 'gitUsernamePassword'] + options }

    def withCredentials(List bindings, Closure steps) {
        def added = [:]
        bindings.each { binding ->
            def login = World.credential(binding.credentialsId)
            World.event(step: 'withCredentials', kind: binding.kind, credential: binding.credentialsId)
            if (binding.kind == 'usernamePassword') {
                added[binding.usernameVariable] = login.username
                added[binding.passwordVariable] = login.password
            } else {
                added += [GIT_USERNAME: login.username, GIT_PASSWORD: login.password]
            }
        }
        return Place.within([env: Place.here().env + added], steps)
    }

    // The job's own properties
    def properties(List what) { World.event(step: 'properties', properties: what) }

    def parameters(List what) { return [kind: 'parameters', parameters: what] }

    def choice(Map what) { return [kind: 'choice'] + what }

    def string(Map what) { return [kind: 'string'] + what }

    def pipelineTriggers(List what) { return [kind: 'pipelineTriggers', triggers: what] }

    def GenericTrigger(Map what) { return [kind: 'GenericTrigger'] + what }

    def buildDiscarder(Map what) { return [kind: 'buildDiscarder'] + what }

    def logRotator(Map what) { return what }

    def disableConcurrentBuilds() { return [kind: 'disableConcurrentBuilds'] }
}

World.scenario = new JsonSlurperClassic().parse(new File(args[0]))
World.root = new File(World.scenario.root)
World.log = new File(World.root, 'log.txt')
World.log.text = ''
def build = new Build()
def binding = new Binding(
    env: new Env(), params: World.scenario.params, currentBuild: build, scm: World.scenario.scm
)
def configuration = new CompilerConfiguration(scriptBaseClass: 'Steps')
World.shell = new GroovyShell(this.class.classLoader, binding, configuration)
Place.HERE.set(new Place(env: World.scenario.env))
def failure = null
try {
    World.shell.parse(new File(World.scenario.script).text, 'WorkflowScript').run()
} catch (Throwable thrown) {
    failure = thrown
    World.say(thrown instanceof Failure ? "ERROR: ${thrown.message}" : thrown.toString())
}
def outcome = [
    result: failure ? 'FAILURE' : build.result ?: 'SUCCESS',
    description: build.description?.toString(),
    error: failure?.toString(),
    events: World.EVENTS,
]
new File(args[1]).text = JsonOutput.toJson(outcome)
