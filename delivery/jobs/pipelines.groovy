/**
 * The jobs in the folder `platform`, which call a function of the shared library with fixed arguments: a caller only
 * chooses their parameters. Jenkins runs this file once for each document with such jobs.
 */
import groovy.json.JsonSlurper

List pipelines = new JsonSlurper().parseText(ATWORK_JOBS).pipelines

pipelines*.path*.tokenize('/').findAll { it.size() > 2 }*.init()*.join('/').unique().each { folder(it) }

pipelines.each { job ->
    String text = invocation(job)
    pipelineJob(job.path) {
        description(job.description)
        logRotator { numToKeep(100) }
        if (job.parameters) {
            parameters {
                job.parameters.each { stringParam(it.name, '', it.description) }
            }
        }
        if (job.schedule) {
            properties {
                disableConcurrentBuilds()
                pipelineTriggers { triggers { cron { spec(job.schedule) } } }
            }
        }
        definition {
            cps {
                script(text)
                sandbox(true)
            }
        }
    }
}

/** A pipeline that calls a function of the shared library. */
String invocation(Map job) {
    String arguments = job.arguments.sort().collect { name, value -> name + ': ' + quoted(value) }.join(', ')
    return "@Library('platform') _\n" + job.function + '(' + arguments + ')\n'
}

/** A Groovy string literal for any text. */
String quoted(String text) {
    return "'" + text.replace('\\', '\\\\').replace("'", "\\'").replace('\n', '\\n') + "'"
}
