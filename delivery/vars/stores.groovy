/** The data stores that tests can ask for; their containers are the platform's templates `store-NAME`. */

List names() {
    return ['postgres', 'redis', 'mysql']
}

/**
 * What a test is told of them, as environment variables of a container in YAML: everything is on the pod's own
 * address, without a password.
 */
@NonCPS
String variables(List chosen) {
    Map all = [
        postgres: 'name: DATABASE_URL, value: "postgresql://postgres@127.0.0.1:5432/postgres"',
        redis: 'name: REDIS_URL, value: "redis://127.0.0.1:6379/0"',
        mysql: 'name: MYSQL_URL, value: "mysql://root@127.0.0.1:3306/test"',
    ]
    return '[' + chosen.collect { "{${all[it]}}" }.join(', ') + ']'
}

/** The pod templates that bring them. */
@NonCPS
String templates(List chosen) {
    return (['test'] + chosen.collect { "store-${it}" }).join(' ')
}
