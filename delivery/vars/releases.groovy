/** Which builds are released: the platform's jobs state it, never the repository of the service. */

/**
 * Full name of the job whose builds are released (services/NAME.yaml: main_branch); null for a service without a file.
 * It is the description of the job `platform/NAME/promote`, which only administrators can change.
 */
@NonCPS
String job(String service) {
    return jenkins.model.Jenkins.get().getItemByFullName("platform/${service}/promote".toString())?.description
}
