/**
 * Folders whose jobs may use restricted clouds, and the credential that writes reports to GitHub. All jobs below a folder
 * may use both, so no folder contains another. Jenkins encrypts the key when it writes the folder.
 */
import groovy.json.JsonSlurper

new JsonSlurper().parseText(ATWORK_JOBS).folders.each { settings ->
    folder(settings.name) {
        description(settings.description)
        if (settings.reports) {
            properties {
                folderCredentialsProperty {
                    domainCredentials {
                        domainCredentials {
                            domain {
                                name('')
                                description('')
                            }
                            credentials {
                                gitHubApp {
                                    scope('GLOBAL')
                                    id(settings.reports.id)
                                    description('GitHub App that writes reports')
                                    appID(ATWORK_REPORTS_APP)
                                    privateKey(hudson.util.Secret.fromString(ATWORK_REPORTS_KEY))
                                    repositoryAccessStrategy {
                                        specificRepositories {
                                            owner('')  // the only installation of the App
                                            repositories(settings.reports.repositories)
                                        }
                                    }
                                    defaultPermissionsStrategy('INHERIT_ALL')
                                }
                            }
                        }
                    }
                }
            }
        }
        if (settings.clouds) {
            configure { root ->
                def permission = root / 'properties' / 'org.csanchez.jenkins.plugins.kubernetes.KubernetesFolderProperty'
                def clouds = permission.appendNode('permittedClouds')
                settings.clouds.each { cloud -> clouds.appendNode('string', cloud) }
            }
        }
    }
}
