/** What the variable `currentBuild` is in Jenkins, as far as the shared library uses it. */
class RunningBuild implements Serializable {
    String result
    String description
    long startTimeInMillis
    List<Map> causes = []

    List<Map> getBuildCauses() { causes }
}
