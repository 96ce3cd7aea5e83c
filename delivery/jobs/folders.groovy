/** Folders whose jobs may use restricted clouds. All jobs below a folder may use them, so no folder contains another. */
import groovy.json.JsonSlurper

new JsonSlurper().parseText(ATWORK_JOBS).folders.each { settings ->
    folder(settings.name) {
        description(settings.description)
        if (settings.clouds) {
            configure { root ->
                def permission = root / 'properties' / 'org.csanchez.jenkins.plugins.kubernetes.KubernetesFolderProperty'
                def clouds = permission.appendNode('permittedClouds')
                settings.clouds.each { cloud -> clouds.appendNode('string', cloud) }
            }
        }
    }
}
